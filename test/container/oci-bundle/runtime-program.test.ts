import { describe, expect, it } from 'vitest';

import { runtimeProgram } from '../../../src/container/oci-bundle/runtime-program.ts';
import type { Program } from '../../../src/linux/program.ts';
import { CLONE, SIGNAL } from '../../../src/linux/process-flags.ts';
import { BUNDLE_REQUEST, MAPPED } from './bundle-request.ts';

const LAUNCH = {
  path: '/usr/sbin/runc',
  args: ['run', 'id'],
  state: '/state',
  groups: { path: '/x', folders: [], binds: [{ group: '/cg/m/own', mount: '/cg/m' }], hidden: ['/cg/unified'] },
};

function callsOf(program: Program): string[] {
  return program.map(({ call }) => call);
}

describe('runtimeProgram()', () => {
  it('shows the runtime its own processes, state and groups, and the fresh copy, in namespaces that end with it', () => {
    const program = runtimeProgram({ ...BUNDLE_REQUEST, terminal: undefined }, LAUNCH);
    const fork = program.findIndex((step) => step.fork !== undefined);
    expect(program[fork]?.args).toEqual([CLONE.NEWNS | CLONE.NEWPID | SIGNAL.CHLD]);
    const mounts = program.flatMap(({ call, args }, at) =>
      call === 'mount' ? [{ at, from: args[0], to: args[1] }] : [],
    );
    expect(mounts.every(({ at }) => at > fork)).toBe(true);
    expect(mounts.map(({ from, to }) => [from, to])).toEqual([
      [0, '/'], // private
      ['proc', '/proc'],
      ['tmpfs', '/state'],
      ['tmpfs', '/cg/unified'],
      ['/cg/m/own', '/cg/m'],
      ['overlay', 'rootfs'],
    ]);
  });

  it('becomes the runtime, which dies with its waiter, with nothing of ours in its environment', () => {
    const program = runtimeProgram(BUNDLE_REQUEST, LAUNCH);
    expect(callsOf(program).slice(-4)).toEqual(['chdir', 'prctl', 'write', 'execve']);
    expect(program.at(-1)?.args).toEqual([
      '/usr/sbin/runc',
      { pointers: ['/usr/sbin/runc', 'run', 'id'] },
      { pointers: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    ]);
    expect(JSON.stringify(program.map(({ args }) => args.filter((arg) => typeof arg !== 'bigint')))).not.toContain(
      'A=1',
    );
  });

  it('enters the user namespace first, as its files under /proc are out of reach after the fork', () => {
    const program = runtimeProgram({ ...BUNDLE_REQUEST, ownership: MAPPED }, LAUNCH);
    const unshare = program.findIndex(({ call }) => call === 'unshare');
    expect(unshare).toBeGreaterThan(0);
    expect(unshare).toBeLessThan(program.findIndex((step) => step.fork !== undefined));
  });
});
