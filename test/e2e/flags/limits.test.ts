import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { findControllers, type Controller } from '../../../src/linux/control-groups.ts';
import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { useImageHome } from '../support/image-home.ts';
import { descendantsOf } from '../support/process-tree.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

const MB = 2 ** 20;

describe('limits of a container of root', requires(...TEST_BED_NEEDS, 'control-groups'), () => {
  const home = useImageHome();

  /** What the control group of a container says: the first of `files` that is there, the names of version 1 and of version 2. */
  async function setting(controller: Controller, files: string[], ...flags: string[]): Promise<string | undefined> {
    const args = ['run', '--rm', '-i', ...flags, home.image, 'sh', '-c', 'echo ready; exec cat'];
    const running = home.start(args, { stdin: 'open' });
    await running.says('ready');
    const init = descendantsOf(running.pid).find(({ innerPid }) => innerPid === 1)?.pid ?? 0;
    const folder = groupOf(init, controller);
    const read = files.map((name) => readOrUndefined(join(folder, name))).find((text) => text !== undefined);
    running.child.stdin?.end();
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
    return read?.trim();
  }

  it('--memory ends what wants more, and says so', async () => {
    const greedy = await home.run(['--memory', '16m'], ['tail', '/dev/zero']);
    expect(greedy).toMatchObject({
      code: 137,
      stderr: expect.stringMatching(/at its memory limit \(oom_kill\)/) as string,
    });
    expect(await setting('memory', ['memory.limit_in_bytes', 'memory.max'], '-m', '32m')).toBe(String(32 * MB));
    expect(await home.run(['--memory', '1k'], ['true'])).toMatchObject({ code: 125 });
  });

  it('--memory-swap limits memory and swap together, or is an error', async () => {
    const files = ['memory.memsw.limit_in_bytes', 'memory.swap.max'];
    const probe = await home.run(['-m', '32m', '--memory-swap', '48m'], ['true']);
    if (probe.code === 0) {
      const limit = await setting('memory', files, '-m', '32m', '--memory-swap', '48m');
      expect([48 * MB, 16 * MB].map(String)).toContain(limit);
    } else {
      expect(probe).toMatchObject({
        code: 125,
        stderr: expect.stringMatching(/Cannot enforce --memory-swap/) as string,
      });
    }
    const alone = await home.run(['--memory-swap', '48m'], ['true']);
    expect(alone).toMatchObject({ code: 125, stderr: expect.stringMatching(/memory/i) as string });
  });

  it('--cpus is a share of the time', async () => {
    const quota = await setting('cpu', ['cpu.cfs_quota_us', 'cpu.max'], '--cpus', '0.5');
    expect(quota).toMatch(/^50000( 100000)?$/);
    expect(await home.run(['--cpus', 'many'], ['true'])).toMatchObject({ code: 125 });
  });

  it('--cpu-shares is a weight', async () => {
    const weight = await setting('cpu', ['cpu.shares', 'cpu.weight'], '--cpu-shares', '512');
    expect(['512', '20', '59']).toContain(weight); // version 2 has a scale of its own, and runtimes differ on it
  });

  it('--cpuset-cpus names the processors', async () => {
    const shown = await home.run(['--cpuset-cpus', '0'], ['grep', 'Cpus_allowed_list', '/proc/self/status']);
    expect(shown).toMatchObject({ code: 0, stdout: 'Cpus_allowed_list:\t0\n' });
    const absent = await home.run(['--cpuset-cpus', '4000'], ['true']);
    expect(absent).toMatchObject({ code: 125, stderr: expect.stringMatching(/--cpuset-cpus/) as string });
  });

  it('--pids-limit stops a fork bomb', async () => {
    const bomb = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; wait';
    const stopped = await home.shell(bomb, '--pids-limit', '8');
    expect(stopped.stderr).toMatch(/can't fork: Resource temporarily unavailable/);
    expect(await home.shell('true', '--pids-limit', '-1')).toMatchObject({ code: 0 });
  });
});

const WITHOUT_GROUPS = CALLERS.filter(({ user }) => user !== undefined);

describe.each(WITHOUT_GROUPS)(
  'limits of a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    const home = useImageHome(user);

    it.each([
      ['--memory', '32m'],
      ['--cpus', '0.5'],
      ['--cpu-shares', '512'],
      ['--cpuset-cpus', '0'],
      ['--pids-limit', '8'],
    ])('%s %s is an error that says what to do where no group is delegated', async (flag, value) => {
      const ran = await home.run([flag, value], ['true']);
      expect(ran.code).toBe(125);
      expect(ran.stderr).toMatch(new RegExp(`^mydocker: Cannot enforce ${flag}: `));
      expect(ran.stderr).toMatch(
        /\n(Version 1 of control groups cannot be handed to ordinary users: run mydocker as root|.*systemd-run --user)/,
      );
    });
  },
);

describe.each(CALLERS)(
  'ulimits of a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    const home = useImageHome(user);

    it('--ulimit sets soft and hard limits', async () => {
      const script = 'ulimit -Sn; ulimit -Hn; head -c 9000 /dev/zero > /big; wc -c < /big';
      const limited = await home.shell(script, '--ulimit', 'nofile=100:200', '--ulimit=fsize=4096');
      expect(limited.stdout).toBe('100\n200\n4096\n');
      const above = await home.shell('true', '--ulimit', 'nofile=200:100');
      expect(above).toMatchObject({ code: 125, stdout: '' });
      expect(await home.shell('true', '--ulimit', 'nonsense=1')).toMatchObject({ code: 125 });
    });
  },
);

function groupOf(pid: number, controller: Controller): string {
  const mountinfo = readFileSync('/proc/self/mountinfo', 'utf8');
  const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const places = findControllers({ mountinfo, cgroup, read: (path) => readFileSync(path, 'utf8') });
  return places.get(controller)?.own ?? '';
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // the other version's name
  }
}
