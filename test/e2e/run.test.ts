import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CallOptions, type CliHome, type Ended } from './support/cli-home.ts';
import { descendantsOf } from './support/process-tree.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe.each(CALLERS)('mydocker run as $caller', requires(...TEST_BED_NEEDS, 'ordinary-users'), ({ user }) => {
  let home: CliHome;
  let image: string;

  beforeAll(async () => {
    home = openCliHome(user);
    image = `${testBed().registry}/library/busybox`;
    expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
  });

  afterAll(() => home.remove());

  async function run(flags: string[], command: string[], options?: CallOptions): Promise<Ended> {
    return home.mydocker(['run', '--rm', ...flags, image, ...command], options);
  }

  async function shell(script: string, ...flags: string[]): Promise<Ended> {
    return run(flags, ['/bin/sh', '-c', script]);
  }

  describe('output and exit code', () => {
    it('are those of the command', async () => {
      expect(await run([], ['/bin/echo', 'hey'])).toEqual({ code: 0, stdout: 'hey\n', stderr: '' });
      const listed = await shell('/bin/ls /');
      expect(listed.stdout.split('\n')).toEqual(expect.arrayContaining(['bin', 'dev', 'etc', 'proc', 'sys', 'tmp']));
      expect(await shell('echo out; echo err >&2; exit 7')).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
    });

    it('is 127 for a command that is not there, and says which', async () => {
      const bare = await run([], ['no-such-command']);
      expect(bare).toMatchObject({ code: 127, stdout: '' });
      expect(bare.stderr).toMatch(/no-such-command.*executable file not found in \$PATH/);
      const path = await run([], ['/bin/no-such-command']);
      expect(path).toMatchObject({ code: 127, stdout: '' });
      expect(path.stderr).toMatch(/\/bin\/no-such-command.*no such file or directory/);
    });

    it('is 126 for a command that cannot be executed', async () => {
      const file = await run([], ['/etc/passwd']);
      expect(file).toMatchObject({ code: 126, stdout: '' });
      expect(file.stderr).toMatch(/\/etc\/passwd.*permission denied/);
      expect(await run([], ['/etc'])).toMatchObject({ code: 126, stdout: '' });
    });

    it('is 125 where the tool fails', async () => {
      const flag = await home.mydocker(['run', '--no-such-flag', image]);
      expect(flag).toMatchObject({ code: 125, stdout: '' });
      expect(flag.stderr).toMatch(/unknown flag: --no-such-flag/);
      const missing = await home.mydocker(['run', '--pull', 'never', `${testBed().registry}/library/absent`, 'true']);
      expect(missing).toMatchObject({ code: 125, stdout: '' });
      expect(missing.stderr).toMatch(/No such image/);
      expect(await home.mydocker(['run', 'UPPER/case'])).toMatchObject({ code: 125, stdout: '' });
    });

    it('is 128+n where signal n ends the command', async () => {
      const running = home.start(['run', '--rm', image, '/bin/sh', '-c', 'echo ready; exec sleep 1000']);
      await running.says('ready');
      const init = descendantsOf(running.pid).find(({ innerPid }) => innerPid === 1);
      process.kill(init?.pid ?? 0, 'SIGKILL');
      expect(await running.ended).toMatchObject({ code: 137 });
    });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)('passes %s on', async (signal) => {
    const name = signal.slice('SIG'.length);
    const script = `trap 'echo got ${name}; exit 3' ${name}; echo ready; while :; do sleep 0.05; done`;
    const running = home.start(['run', '--rm', image, '/bin/sh', '-c', script]);
    await running.says('ready');
    running.child.kill(signal);
    expect(await running.ended).toEqual({ code: 3, stdout: `ready\ngot ${name}\n`, stderr: '' });
  });

  describe('stdin', () => {
    it("is the command's own with -i", async () => {
      const echoed = await run(['-i'], ['cat'], { stdin: { text: 'through the wall\n' } });
      expect(echoed).toEqual({ code: 0, stdout: 'through the wall\n', stderr: '' });
    });

    it('is empty without -i', async () => {
      const echoed = await run([], ['cat'], { stdin: { text: 'not this\n' } });
      expect(echoed).toEqual({ code: 0, stdout: '', stderr: '' });
    });

    it('carries a megabyte to the command and back', async () => {
      const text = 'sixteen letters\n'.repeat(65_536);
      const echoed = await run(['-i'], ['cat'], { stdin: { text } });
      expect(echoed.code).toBe(0);
      expect(echoed.stdout === text).toBe(true);
    });
  });

  it('pulls an image that is not there, and says so on stderr alone', async () => {
    const other = openCliHome(user);
    onTestFinished(() => other.remove());
    const name = `${testBed().registry}/shared/one`;
    const ran = await other.mydocker(['run', '--rm', name, 'cat', '/one']);
    expect(ran).toMatchObject({ code: 0, stdout: 'one' });
    expect(ran.stderr).toContain(`Unable to find image '${name}:latest' locally\n`);
    expect(await other.mydocker(['run', '--rm', name, 'cat', '/one'])).toEqual({ code: 0, stdout: 'one', stderr: '' });
  });

  it('leaves nothing of a container behind with --rm', async () => {
    expect(await shell('exit 0')).toMatchObject({ code: 0, stderr: '' });
    // The names that are taken are files in containers/names.
    expect(readdirSync(join(home.store, 'containers'), { recursive: true })).toEqual(['names']);
    expect((await home.mydocker(['ps', '-a', '-q'])).stdout).toBe('');
  });

  it('keeps a container without --rm, for ps and rm', async () => {
    expect(await home.mydocker(['run', '--name', 'kept', image, 'sh', '-c', 'exit 4'])).toMatchObject({ code: 4 });
    const clash = await home.mydocker(['run', '--name', 'kept', image, 'true']);
    expect(clash.code).toBe(125);
    expect(clash.stderr).toMatch(/Conflict\. The container name "\/kept" is already in use by container "[0-9a-f]+"/);

    expect((await home.mydocker(['ps', '-q'])).stdout).toBe('');
    const listed = await home.mydocker(['ps', '-a']);
    expect(listed.stdout).toMatch(/^CONTAINER ID {3}IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/);
    expect(listed.stdout).toMatch(/"sh -c 'exit 4'" .*Exited \(4\) .* kept\n$/);
    expect(await home.mydocker(['rm', 'kept'])).toEqual({ code: 0, stdout: 'kept\n', stderr: '' });
    expect((await home.mydocker(['ps', '-a', '-q'])).stdout).toBe('');
    expect(await home.mydocker(['rm', 'kept'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No such container: kept') as string,
    });
  });

  it('refuses to remove a container that runs, except with -f', async () => {
    const running = home.start(['run', '--name', 'busy', image, 'sh', '-c', 'echo ready; exec sleep 1000']);
    await running.says('ready');
    expect((await home.mydocker(['ps'])).stdout).toMatch(/ Up .* busy\n$/);
    expect(await home.mydocker(['rm', 'busy'])).toMatchObject({ code: 1 });
    expect(await home.mydocker(['rm', '-f', 'busy'])).toMatchObject({ code: 0, stdout: 'busy\n' });
    expect(await running.ended).toMatchObject({ code: 137 });
    expect((await home.mydocker(['ps', '-a', '-q'])).stdout).toBe('');
  });

  it('gives the command its terminal with -t', async () => {
    const onTerminal = { prefix: ['sh', '-c', 'exec script --quiet --return --command "$*" /dev/null', 'sh'] };
    expect(await run(['-it'], ['test', '-t', '0'], onTerminal)).toMatchObject({ code: 0 });
    expect(await run([], ['test', '-t', '0'], onTerminal)).toMatchObject({ code: 1 });
    const without = await run(['-it'], ['true'], { stdin: { text: '' } });
    expect(without.code).not.toBe(0);
    expect(without.stderr).toMatch(/not a (TTY|terminal)/i);
  });
});
