import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HostFacts } from '../../src/linux/host-facts.ts';
import type { Ownership } from '../../src/linux/ownership.ts';
import { CLONE } from '../../src/linux/process-flags.ts';
import { userNamespaceSteps } from '../../src/linux/user-namespace.ts';
import { buildChildProgram, type ChildProgram } from '../fs/child-program.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { PLAIN_USER, SUBID_USER } from '../support/test-users.ts';
import { FORK, runProgram, shell } from './run-program.ts';

// Runs a script in the user namespace of an ownership, the best of this user or the one that is given as JSON.
const SOURCE = `
  import { readHostFacts } from './src/linux/host-facts.ts';
  import { userNamespaceSteps } from './src/linux/user-namespace.ts';
  import { FORK, runProgram, shell } from './test/linux/run-program.ts';
  const [runnerFolder, script, given, fork] = process.argv.slice(2);
  const { ownership, privileged } = readHostFacts();
  const idMap = given ? JSON.parse(given) : ownership;
  const program = [...userNamespaceSteps(idMap), ...(fork ? [{ ...FORK, args: [Number(fork)] }] : []), shell(script)];
  const { code, stdout, error } = await runProgram(runnerFolder, program, { idMap });
  console.log(JSON.stringify({ ownership, privileged, code, stdout, error: error && { ...error, message: error.message } }));
`;

interface Report extends Pick<HostFacts, 'ownership' | 'privileged'> {
  code: number;
  stdout: string;
  error?: { code: string; message: string; hint?: string };
}

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

describe('userNamespaceSteps() of an ordinary user', requires('ordinary-users', 'userns'), () => {
  let child: ChildProgram;
  beforeAll(async () => {
    child = await buildChildProgram(SOURCE);
  });
  afterAll(async () => child.remove());

  async function runAs(
    user: string,
    script: string,
    more: { ownership?: Ownership; fork?: number } = {},
  ): Promise<Report> {
    const uid = uidOf(user);
    await fs.chown(folder, uid, uid);
    const given = more.ownership === undefined ? '' : JSON.stringify(more.ownership);
    const result = await child.run({
      uid,
      args: [folder, script, given, more.fork === undefined ? '' : String(more.fork)],
    });
    expect(result.stderr).toBe('');
    return JSON.parse(result.stdout) as Report;
  }

  it('gives the caller alone, as root, where no ids are granted', async () => {
    const uid = uidOf(PLAIN_USER);
    const report = await runAs(
      PLAIN_USER,
      'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups',
    );
    expect(report).toMatchObject({ ownership: { kind: 'single', uid, gid: uid }, privileged: false, code: 0 });
    expect(report.stdout.split(/\s+/)).toEqual(
      ['0', '0', '', '0', `${uid}`, '1', '0', `${uid}`, '1', 'deny', ''].filter(Boolean).concat(''),
    );
  });

  it('gives all capabilities, also to a forked command in a pid namespace', async () => {
    const script = 'echo $$; grep CapEff /proc/self/status; mount -t tmpfs none /mnt && echo mounted';
    const fork = CLONE.NEWPID + CLONE.NEWNS + 17;
    const report = await runAs(PLAIN_USER, script, { fork });
    expect(report.stdout).toMatch(/^1\nCapEff:\t[0-9a-f]*[1-9a-f][0-9a-f]*\nmounted\n$/);
  });

  it('gives the granted ids', async () => {
    const uid = uidOf(SUBID_USER);
    const script = 'touch "$0"; chown 1000:2000 "$0"; stat -c %u:%g "$0"; cat /proc/self/setgroups; id -u';
    const report = await runAs(SUBID_USER, script.replaceAll('"$0"', JSON.stringify(join(folder, 'file'))));
    expect(report.ownership).toMatchObject({
      kind: 'mapped',
      uids: [{ inside: 0, outside: uid, count: 1 }, { inside: 1 }],
    });
    expect(report).toMatchObject({ code: 0, stdout: '1000:2000\nallow\n0\n' });
    const { ownership } = report;
    const first = ownership.kind === 'mapped' ? (ownership.uids[1]?.outside ?? 0) : 0;
    expect((await fs.stat(join(folder, 'file'))).uid).toBe(first + 999);
  });

  it('fails where the ids are not granted', async () => {
    const uid = uidOf(PLAIN_USER);
    const ids = [
      { inside: 0, outside: uid, count: 1 },
      { inside: 1, outside: 100_000, count: 10 },
    ];
    const report = await runAs(PLAIN_USER, 'echo no', { ownership: { kind: 'mapped', uids: ids, gids: ids } });
    expect(report.error?.code).toBe('ERR_HOST');
    expect(report.error?.message).toMatch(
      /^Cannot map ids: \/usr\/bin\/newuidmap .* ended with 1: newuidmap: uid range .* not allowed/,
    );
    expect(report.stdout).toBe('');
  });

  it('lets the waiter kill a command that has become another user', async () => {
    const kill = await buildChildProgram(`
      import { readHostFacts } from './src/linux/host-facts.ts';
      import { startRunner } from './src/linux/runner.ts';
      import { userNamespaceSteps } from './src/linux/user-namespace.ts';
      import { FORK, shell } from './test/linux/run-program.ts';
      const { ownership: idMap } = readHostFacts();
      const become = { call: 'setresuid', args: [1000, 1000, 1000], what: 'become another user' };
      const program = [...userNamespaceSteps(idMap), FORK, become, shell('id -u; exec sleep 1000')];
      const running = startRunner({ program, idMap, runnerFolder: process.argv[2], stdio: ['ignore', 'pipe', 'inherit'] });
      running.child.stdout.once('data', (text) => { process.stdout.write(text); running.signal(9); });
      console.log((await running.exited).code);`);
    try {
      await fs.chown(folder, uidOf(SUBID_USER), uidOf(SUBID_USER));
      const result = await kill.run({ uid: uidOf(SUBID_USER), args: [folder] });
      expect(result).toMatchObject({ stdout: '1000\n137\n', stderr: '' });
    } finally {
      await kill.remove();
    }
  });

  it('leaves the runner out of reach of other processes of the user', async () => {
    const look = await buildChildProgram(`
      import { readlinkSync } from 'node:fs';
      import { startRunner } from './src/linux/runner.ts';
      import { FORK, shell } from './test/linux/run-program.ts';
      const running = startRunner({ program: [FORK, shell('exec cat')], runnerFolder: process.argv[2], stdio: ['pipe', 'ignore', 'inherit'] });
      await running.started;
      try { console.log(readlinkSync('/proc/' + running.pid + '/exe')); } catch (error) { console.log(error.code); }
      running.child.stdin.end();
      console.log((await running.exited).code);`);
    try {
      await fs.chown(folder, uidOf(PLAIN_USER), uidOf(PLAIN_USER));
      expect((await look.run({ uid: uidOf(PLAIN_USER), args: [folder] })).stdout).toBe('EACCES\n0\n');
    } finally {
      await look.remove();
    }
  });
});

describe('userNamespaceSteps() of root', requires('root'), () => {
  it('gives any ids', async () => {
    const ids = [
      { inside: 0, outside: 0, count: 1 },
      { inside: 1, outside: 300_000, count: 1000 },
    ];
    const idMap: Ownership = { kind: 'mapped', uids: ids, gids: ids };
    const file = join(folder, 'file');
    const program = [...userNamespaceSteps(idMap), FORK, shell('touch "$0"; chown 5:6 "$0"', file)];
    expect(await runProgram(folder, program, { idMap })).toMatchObject({ code: 0, error: undefined });
    expect(await fs.stat(file)).toMatchObject({ uid: 300_004, gid: 300_005 });
  });

  it('are none for real ids', () => {
    expect(userNamespaceSteps({ kind: 'root' })).toEqual([]);
  });

  it('fail without an id map', async () => {
    const ids = [{ inside: 0, outside: 0, count: 2 }];
    const { error, code } = await runProgram(folder, [
      ...userNamespaceSteps({ kind: 'mapped', uids: ids, gids: ids }),
      shell(''),
    ]);
    expect(error).toBeInstanceOf(TypeError);
    expect(code).not.toBe(0);
  });
});

function uidOf(user: string): number {
  return Number(execFileSync('id', ['-u', user], { encoding: 'utf8' }));
}
