import { copyFileSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS_WITH_IDS } from './support/callers.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { descendantsOf, isAlive, type MachineProcess } from './support/process-tree.ts';
import { closeScreens, openScreen, type Screen } from './support/screen.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

const NEEDS = requires(...TEST_BED_NEEDS, 'ordinary-users', 'tmux');
const PROFILE = fileURLToPath(new URL('../../src/linux/seccomp/docker-default.json', import.meta.url));
const LONG = { timeout: 20_000 };

describe.each(CALLERS_WITH_IDS)('a container from which $caller detaches', NEEDS, ({ caller, user }) => {
  let home: CliHome;
  let image: string;
  let count = 0;
  let name: string; // a container and a terminal of its own for each test
  let screens: string[];

  beforeAll(async () => {
    home = openCliHome(user);
    home = { ...home, store: join(home.folder, 'a-long-name-'.repeat(8), 'store') }; // no room for a socket's path
    image = `${testBed().registry}/library/busybox`;
    expect(await mydocker('pull', '-q', image)).toMatchObject({ code: 0, stderr: '' });
  });
  afterAll(() => home.remove());
  beforeEach(() => {
    count += 1;
    name = `c${count}`;
    screens = [];
  });
  afterEach(async () => {
    await mydocker('rm', '-f', name);
    screens.forEach(closeScreens);
  });

  async function mydocker(...args: string[]): ReturnType<CliHome['mydocker']> {
    return home.mydocker(args, { env: { MYDOCKER_HOME: home.store } });
  }

  function open(line: string): Screen {
    const socket = `detach-${process.pid}-${caller.length}-${count}-${screens.length}`;
    screens.push(socket);
    return openScreen(`${line}; echo "ended with $?"; exec cat`, { home, user, socket });
  }

  async function openShell(...flags: string[]): Promise<Screen> {
    const screen = open(`mydocker run -it --name ${name} ${flags.join(' ')} ${image} sh`);
    await awaitsInput(screen);
    return screen;
  }

  /** Its shell has asked the terminal for the cursor, as busybox does at each prompt, and read the answer: it has read more since. */
  async function awaitsInput(screen: Screen): Promise<void> {
    await screen.shows(/\/ #$/);
    screen.type('x');
    await screen.shows(/\/ # x$/);
    screen.type('BSpace');
    await screen.shows(/\/ #$/);
  }

  async function detach(screen: Screen): Promise<void> {
    screen.type('C-p', 'C-q');
    await screen.shows(/^ended with 0$/m);
  }

  async function state(): Promise<string> {
    return (await mydocker('ps', '-a', '--filter', `name=${name}`, '--format', '{{.Status}}')).stdout.trim();
  }

  /** The processes behind a screen, as long as it is attached. */
  function processesOf(screen: Screen): { client: MachineProcess; supervisor: MachineProcess; all: MachineProcess[] } {
    const all = descendantsOf(screen.pid());
    const client = all.find(({ command }) => command.includes('run'));
    const supervisor = all.find(({ command }) => command.some((word) => word.endsWith('/supervisor.cjs')));
    if (client === undefined || supervisor === undefined) throw new Error('there is no client or no supervisor');
    return { client, supervisor, all };
  }

  async function haveEnded(processes: readonly MachineProcess[]): Promise<void> {
    await expect.poll(() => processes.filter(({ pid }) => isAlive(pid)), LONG).toEqual([]);
  }

  it('goes on without them, and is theirs again with attach', async () => {
    const screen = await openShell();
    screen.type('mine=7', 'Enter');
    await screen.shows(/mine=7\n\/ #$/);
    await awaitsInput(screen);
    await detach(screen);
    expect(screen.isCooked()).toBe(true);
    expect(await state()).toMatch(/^Up /);
    expect(await mydocker('rm', name)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is running') as string,
    });
    expect(await mydocker('rmi', image)).toMatchObject({ code: 1 });
    expect(await mydocker('container', 'prune', '-f')).toMatchObject({
      code: 0,
      stdout: expect.not.stringContaining('c1') as string,
    });

    const again = open(`mydocker attach ${name}`);
    again.type('echo "was $mine"', 'Enter');
    await again.shows(/^was 7$/m);
    again.type('exit 3', 'Enter');
    await again.shows(/^ended with 3$/m);
    expect(again.isCooked()).toBe(true);
    expect(await state()).toMatch(/^Exited \(3\) /);
    expect(await mydocker('attach', '--no-stdin', name)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: cannot attach to a stopped container, start it first\n',
    });
  });

  it('is what the flags ask for, read in the caller’s folder', async () => {
    copyFileSync(PROFILE, join(home.folder, 'profile.json'));
    const run = (flags: string): string => `mydocker run --rm -it ${flags} ${image}`;
    const calls = [
      `${run('--cap-add net_admin')} echo one`, // docker's profile, compiled for that
      `${run('--security-opt seccomp=./profile.json -v ./profile.json:/p')} test -s /p && echo two`,
    ];
    await open(calls.join('; ')).shows(/^one\ntwo\nended with 0$/m);
  });

  it('is removed at its end with --rm, and not before', async () => {
    const screen = await openShell('--rm');
    screen.type('trap "exit 5" TERM; while :; do sleep 0.1; done', 'Enter');
    const { supervisor, all } = processesOf(screen);
    await detach(screen);
    expect(await state()).toMatch(/^Up /);
    process.kill(supervisor.pid, 'SIGTERM'); // is the command's
    await haveEnded(all);
    expect(await state()).toBe('');
    expect(readdirSync(join(home.store, 'containers'))).toEqual(['names']);
  });

  it('listens to the keys of --detach-keys alone', async () => {
    const screen = await openShell('--detach-keys', 'ctrl-a,x');
    screen.type('cat -v', 'Enter');
    screen.type('C-p', 'C-a', 'y', 'C-q', 'Enter'); // ctrl-q is eaten by the terminal
    await screen.shows(/^\^P\^Ay$/m);
    screen.type('C-a', 'x');
    await screen.shows(/^ended with 0$/m);
    expect(await state()).toMatch(/^Up /);
    const again = open(`mydocker container attach --detach-keys DEL ${name}`);
    again.type('more', 'Enter');
    await again.shows(/^more\nmore$/m);
    again.type('BSpace');
    await again.shows(/^read escape sequence\nended with 1$/m); // as docker
    expect(again.isCooked()).toBe(true);
  });

  it('X31 ends at once when the command line is killed before', async () => {
    const screen = await openShell();
    const { client, all } = processesOf(screen);
    process.kill(client.pid, 'SIGKILL');
    await haveEnded(all);
    expect(await state()).toMatch(/^Exited \(137\) /);
    await screen.shows(/137$/m); // without its raw mode's line feeds the text may stand on two lines
  });

  it('ends with the process that looks after it, of which the command line tells', async () => {
    const screen = await openShell();
    const { supervisor, all } = processesOf(screen);
    process.kill(supervisor.pid, 'SIGKILL');
    await screen.shows(/the process that looks after it was killed[^]*^ended with 125$/m);
    expect(screen.isCooked()).toBe(true);
    await haveEnded(all);
    expect(await state()).toBe('Dead');
  });

  it('is ended by rm --force, together with what looks after it', async () => {
    const screen = await openShell();
    const { all } = processesOf(screen);
    await detach(screen);
    const watching = open(`mydocker attach ${name}`);
    watching.type('echo "is $((6 * 7))"', 'Enter');
    await watching.shows(/^is 42$/m);
    expect(await mydocker('rm', '-f', name)).toMatchObject({ code: 0, stderr: '' });
    await watching.shows(/ended with 137$/m);
    await haveEnded(all);
    expect(await state()).toBe('');
  });

  it('is seen by all who are attached, and outlives their terminals', async () => {
    const first = await openShell();
    const second = open(`mydocker attach ${name}`);
    second.type('echo "one $((1 + 1))"', 'Enter');
    await Promise.all([first, second].map(async (screen) => screen.shows(/^one 2$/m)));
    await awaitsInput(first);
    await detach(first);
    second.resize(90, 25);
    second.type('while ! stty size | grep -q "25 90"; do :; done; echo resized', 'Enter');
    await second.shows(/^resized$/m);
    second.close();
    const third = open(`mydocker attach ${name}`);
    third.type('echo "two $((1 + 1))"', 'Enter');
    await third.shows(/^two 2$/m);
    expect(await state()).toMatch(/^Up /);
  });

  it('cannot be typed into from a container that has the store among its volumes', async () => {
    await detach(await openShell());
    const { stdout: id } = await mydocker('ps', '-q', '--no-trunc', '--filter', `name=${name}`);
    // The host's Node, in a container whose root folder is the host's: it could read and connect, were it let in.
    const intruder = `process.chdir('${home.store}/containers/${id.trim()}');
      const socket = require('net').connect('socket');
      const [length, body] = [Buffer.of(13, 0, 0, 0), '{"version":1}'];
      socket.write(Buffer.concat([length, Buffer.of(1), Buffer.from(body)]));
      socket.on('data', (bytes) => process.stdout.write(bytes.subarray(5)));
      socket.on('error', (error) => process.stdout.write(error.message));`;
    const isolated = ['run', '--rm', '-v', '/:/host:ro', image, 'chroot', '/host', process.execPath, '-e', intruder];
    expect((await mydocker(...isolated)).stdout).toContain('only processes of the same user, and with the same mounts');
    expect(await state()).toMatch(/^Up /);
  });

  it('leaves nothing of the caller’s with the process that looks after it, and nothing of that in the container', async () => {
    const screen = await openShell('-e', 'TOKEN=secret', '-v', './mine:/here/mine');
    const { supervisor } = processesOf(screen);
    const proc = `/proc/${supervisor.pid}`;
    for (const file of ['cmdline', 'environ']) expect(readFileSync(join(proc, file), 'utf8')).not.toContain('secret');
    expect(readlinkSync(join(proc, 'cwd'))).toBe('/');
    const open = readdirSync(join(proc, 'fd')).map((descriptor) => readlinkSync(join(proc, 'fd', descriptor)));
    expect(
      open.filter((path) => path.startsWith('/') && !path.startsWith(`${home.store}/containers/`)).toSorted(),
    ).toEqual(
      ['/dev/null', '/dev/null', '/dev/null', '/dev/null', '/dev/ptmx'], // three streams, libuv's own, the terminal's master
    );
    expect(readFileSync(join(proc, 'stat'), 'utf8').replace(/.*\) /s, '').split(' ').slice(3, 5)).toEqual([
      String(supervisor.pid), // the session
      '0', // no terminal
    ]);
    screen.type('echo $TOKEN; ls /here; echo "sockets: $(find / -type s 2>/dev/null)"', 'Enter');
    await screen.shows(/^secret\nmine\nsockets:$/m);
  });
});

describe('detach keys', NEEDS, () => {
  it('are refused in docker’s words where they are none', async () => {
    const home = openCliHome();
    try {
      expect(await home.mydocker(['run', '--detach-keys', 'shift-b', 'busybox'])).toMatchObject({
        code: 125,
        stderr: expect.stringContaining(
          "mydocker: invalid detach keys (shift-b): unknown character: 'shift-b'\n",
        ) as string,
      });
      expect(await home.mydocker(['attach', '--detach-keys', 'ctrl-p,', 'any'])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("Error: invalid detach keys (ctrl-p,): unknown character: ''\n") as string,
      });
    } finally {
      home.remove();
    }
  });
});
