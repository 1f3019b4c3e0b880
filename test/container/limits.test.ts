import { readdirSync, readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { removeContainer } from '../../src/container/remove-container.ts';
import { findControllers } from '../../src/linux/control-groups.ts';
import type { Controller } from '../../src/linux/control-groups.ts';
import { requires } from '../support/requirements.ts';
import { createBox } from './support/box.ts';
import type { Box } from './support/box.ts';

const MB = 2 ** 20;

describe('limits of a container of root', requires('root', 'static-busybox', 'control-groups'), () => {
  let box: Box;
  const others = new Set<string>(); // of tests that were killed
  beforeAll(() => {
    box = createBox('root');
    for (const controller of ['memory', 'pids', 'cpuset'] as const)
      groupsOf(controller).forEach((path) => others.add(path));
  });
  afterAll(() => box.remove());

  /** Groups of containers that are left below the group of this process. */
  function groupsOf(controller: Controller): string[] {
    const [mountinfo, cgroup] = ['mountinfo', 'cgroup'].map((name) => readFileSync(`/proc/self/${name}`, 'utf8'));
    const read = (path: string): string => readFileSync(path, 'utf8');
    const places = findControllers({ mountinfo: mountinfo ?? '', cgroup: cgroup ?? '', read });
    const own = places.get(controller)?.own ?? '';
    const all = readdirSync(own, { recursive: true, encoding: 'utf8' });
    return all.filter((path) => /mydocker\/[0-9a-f]{64}$/.test(path) && !others.has(path));
  }

  it('X29 end what wants more memory, say so, and leave no group behind', async () => {
    const options = { limits: { memory: 16 * MB } };
    const { exitCode, isOutOfMemory } = await box.run(['tail', '/dev/zero'], { options });
    expect([exitCode, isOutOfMemory]).toEqual([137, true]);
    const within = await box.run(['sh', '-c', 'exit 137'], { options });
    expect([within.exitCode, within.isOutOfMemory]).toEqual([137, false]);
    expect(groupsOf('memory')).toEqual([]);
  });

  it('X29 stop a fork bomb', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; wait';
    const { stderr, exitCode } = await box.run(['sh', '-c', script], { options: { limits: { pids: 8 } } });
    expect(stderr).toMatch(/can't fork: Resource temporarily unavailable/);
    expect(exitCode).not.toBe(0);
    expect(groupsOf('pids')).toEqual([]);
  });

  it('keep it on its processors, and out of the groups of the host', async () => {
    const script = 'grep Cpus_allowed_list /proc/self/status; grep -vc ":/$" /proc/self/cgroup';
    const { stdout } = await box.run(['sh', '-c', script], {
      options: { limits: { cpusetCpus: '0', milliCpus: 500 } },
    });
    expect(stdout).toBe('Cpus_allowed_list:\t0\n0\n');
  });

  it('that the kernel does not take stop the run, and leave nothing', async () => {
    const { failure } = await box.run(['true'], { options: { limits: { memory: 16 * MB, cpusetCpus: '999' } } });
    expect(failure).toMatchObject({
      code: 'ERR_HOST',
      message: expect.stringMatching(/^Cannot enforce --cpuset-cpus: /) as string,
    });
    expect([groupsOf('memory'), groupsOf('cpuset')]).toEqual([[], []]);
  });

  it('are gone with a container whose supervisor was killed, when it is removed', async () => {
    const run = box.start(['sleep', '60'], { options: { limits: { pids: 8 } } });
    const { id } = await run.started;
    expect(groupsOf('pids').some((path) => path.endsWith(id))).toBe(true);
    run.supervisor.kill('SIGKILL');
    await run.outcome;
    await removeContainer({ paths: box.paths, container: id, force: true, ownership: { kind: 'root' } });
    expect(groupsOf('pids')).toEqual([]);
  });
});

describe('limits of a container of an ordinary user', requires('root', 'static-busybox', 'ordinary-users'), () => {
  it('are an error where they cannot be enforced', async () => {
    const box = createBox('mapped');
    try {
      const { failure } = await box.run(['true'], { options: { limits: { pids: 8 } } });
      expect(failure).toMatchObject({
        code: 'ERR_HOST',
        message: expect.stringMatching(/^Cannot enforce --pids-limit: /) as string,
        hint: expect.stringMatching(
          /^Version 1 of control groups .*: run mydocker as root, or |systemd-run --user --scope/,
        ) as string,
      });
    } finally {
      box.remove();
    }
  });
});
