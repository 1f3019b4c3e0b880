import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compileFilter } from '../../../src/linux/seccomp/compile-filter.ts';
import type { FilterTarget } from '../../../src/linux/seccomp/applicable-rules.ts';
import { parseSeccompProfile } from '../../../src/linux/seccomp/parse-profile.ts';
import type { ArgumentCondition, ProfileRule, SeccompProfile } from '../../../src/linux/seccomp/seccomp-profile.ts';
import { syscallTable } from '../../../src/linux/seccomp/syscall-tables.ts';
import type { Abi } from '../../../src/linux/seccomp/syscall-tables.ts';
import { rounds, seed } from '../../support/soak.ts';
import { ANSWER, AUDIT, runFilter } from './run-filter.ts';

const DOCKER = parseSeccompProfile(
  readFileSync(new URL('../../../src/linux/seccomp/docker-default.json', import.meta.url)),
  'docker-default.json',
);
const TARGET: FilterTarget = {
  architecture: 'amd64',
  capabilities: new Set(['CAP_SYS_CHROOT', 'CAP_NET_RAW']),
  kernelRelease: '6.1.0',
};
const EVERYWHERE = { capabilities: [], architectures: [] };

function rule(changes: Partial<ProfileRule>): ProfileRule {
  return {
    names: [],
    action: { kind: 'allow' },
    conditions: [],
    includes: EVERYWHERE,
    excludes: EVERYWHERE,
    ...changes,
  };
}

function profile(...rules: ProfileRule[]): SeccompProfile {
  return {
    defaultAction: { kind: 'errno', value: 1 },
    architectures: [{ name: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    rules,
  };
}

/** What a call by name gets. */
function ask(filter: Uint8Array, name: string, args: bigint[] = [], abi: Abi = 'x64'): number {
  const number = syscallTable(abi).get(name);
  if (number === undefined) throw new Error(`${abi} has no ${name}`);
  return runFilter(filter, { architecture: AUDIT[abi], number, args });
}

describe('compileFilter() of the default profile', () => {
  const filter = compileFilter(DOCKER, TARGET);

  it.each(['read', 'openat', 'execve', 'clone', 'futex', 'ptrace', 'chroot', 'mknodat', 'fchmodat2', 'io_pgetevents'])(
    'allows %s',
    (name) => expect(ask(filter, name)).toBe(ANSWER.allow),
  );

  const REFUSED =
    'mount umount2 unshare setns bpf perf_event_open keyctl add_key request_key io_uring_setup userfaultfd kexec_load ' +
    'init_module finit_module open_by_handle_at reboot settimeofday swapon syslog acct iopl fsopen open_tree move_mount pivot_root';
  it.each(REFUSED.split(' '))('C7 X20 answers %s with EPERM', (name) => expect(ask(filter, name)).toBe(ANSWER.eperm));

  it('C7 X20 lets clone() make processes, but no namespaces, and hides clone3(), whose flags a filter cannot see', () => {
    expect(ask(filter, 'clone', [0x1200011n])).toBe(ANSWER.allow);
    for (const namespace of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n]) {
      expect(ask(filter, 'clone', [namespace | 17n])).toBe(ANSWER.eperm);
    }
    expect(ask(filter, 'clone3')).toBe(ANSWER.enosys);
  });

  it.each([38n, 40n])(
    'C8 X21 refuses sockets of family %i, whatever stands above the 32 bits that the kernel reads',
    (family) => {
      for (const above of [0n, 1n << 32n, 0xffffffffn << 32n]) {
        expect(ask(filter, 'socket', [above | family])).toBe(ANSWER.eperm);
        expect(ask(filter, 'socket', [above | 2n])).toBe(ANSWER.allow);
      }
      expect(ask(filter, 'socket', [39n])).toBe(ANSWER.allow);
      expect(ask(filter, 'socket', [family], 'ia32')).toBe(ANSWER.eperm);
    },
  );

  it('filters 32-bit programs by their own numbers', () => {
    expect(ask(filter, 'read', [], 'ia32')).toBe(ANSWER.allow);
    expect(ask(filter, 'mount', [], 'ia32')).toBe(ANSWER.eperm);
    expect(runFilter(filter, { number: syscallTable('ia32').get('mount') ?? 0 })).toBe(ANSWER.allow); // lseek... of x86-64
  });

  it('kills programs of any other kind', () => {
    expect(runFilter(filter, { architecture: AUDIT.arm64, number: 63 })).toBe(ANSWER.kill);
  });

  it('answers calls that it is too old to know with ENOSYS, so that programs fall back; x32 has no calls', () => {
    expect(runFilter(filter, { number: 600 })).toBe(ANSWER.enosys);
    expect(runFilter(filter, { number: 0x40000000 })).toBe(ANSWER.enosys);
    expect(runFilter(filter, { number: 0xffffffff })).toBe(ANSWER.enosys);
    expect(runFilter(filter, { number: 340 })).toBe(ANSWER.eperm); // a gap in the table
  });

  it('gives what capabilities stand for', () => {
    const privileged = compileFilter(DOCKER, { ...TARGET, capabilities: new Set(['CAP_SYS_ADMIN']) });
    expect(ask(privileged, 'mount')).toBe(ANSWER.allow);
    expect(ask(privileged, 'clone', [0x10000000n])).toBe(ANSWER.allow);
    expect(ask(privileged, 'chroot')).toBe(ANSWER.eperm);
  });

  it('is made for arm64 too, with arm', () => {
    const other = compileFilter(DOCKER, { ...TARGET, architecture: 'arm64' });
    expect(ask(other, 'mount', [], 'arm64')).toBe(ANSWER.eperm);
    expect(ask(other, 'openat', [], 'arm64')).toBe(ANSWER.allow);
    expect(ask(other, 'open', [], 'arm')).toBe(ANSWER.allow);
    expect(ask(other, 'cacheflush', [], 'arm')).toBe(ANSWER.allow);
    expect(runFilter(other, { number: 0 })).toBe(ANSWER.kill);
  });
});

describe('compileFilter()', () => {
  it('agrees with the profile on every call of every kind, whichever rules there are', () => {
    const names = [...syscallTable('x64').keys()];
    const condition = fc.record({
      index: fc.nat(5),
      comparison: fc.constantFrom('equal', 'not-equal', 'less', 'less-or-equal', 'greater', 'greater-or-equal'),
      value: fc.bigInt(0n, (1n << 53n) - 1n),
    });
    const masked = fc.record({
      index: fc.nat(5),
      comparison: fc.constant('equal-masked'),
      value: fc.bigInt(0n, 0xffffn),
      mask: fc.bigInt(0n, (1n << 53n) - 1n),
    });
    const anyRule = fc.record({
      names: fc.subarray(names, { minLength: 1, maxLength: 40 }),
      action: fc.constantFrom(
        { kind: 'allow' },
        { kind: 'errno', value: 7 },
        { kind: 'log' },
        { kind: 'kill-process' },
      ),
      conditions: fc.array(fc.oneof(condition, masked), { maxLength: 2 }),
    });
    const property = fc.property(
      fc.array(anyRule, { minLength: 1, maxLength: 6 }),
      fc.array(fc.bigInt(0n, (1n << 64n) - 1n), { minLength: 6, maxLength: 6 }),
      (rules, random) => {
        const drawn = profile(...rules.map((one) => rule(one as Partial<ProfileRule>)));
        const filter = compileFilter(drawn, TARGET);
        for (const name of new Set(drawn.rules.flatMap((one) => one.names))) {
          for (const args of [random, aroundConditions(drawn, name, random)]) {
            const isInt = name === 'socket' || name === 'personality';
            if (!isInt) expect(ask(filter, name, args), name).toBe(expected(drawn, name, args));
          }
        }
      },
    );
    fc.assert(property, { numRuns: rounds(200, 5000), seed });
  });

  it('passes over names that nobody knows', () => {
    expect(ask(compileFilter(profile(rule({ names: ['no_such_call', 'read'] })), TARGET), 'read')).toBe(ANSWER.allow);
  });

  it('stays within the reach of jumps, however long it gets', () => {
    const conditions: ArgumentCondition[] = [{ index: 0, comparison: 'equal', value: 1n }];
    const names = [...syscallTable('x64').keys()];
    const filter = compileFilter(profile(rule({ names, conditions })), TARGET);
    expect(filter.length / 8).toBeGreaterThan(1000);
    for (const name of names) {
      expect(ask(filter, name, [1n]), name).toBe(ANSWER.allow);
      expect(ask(filter, name, [2n]), name).toBe(ANSWER.eperm);
    }
  });
});

/** Arguments that meet a condition, or just miss it. */
function aroundConditions({ rules }: SeccompProfile, name: string, random: readonly bigint[]): bigint[] {
  const args = [...random];
  for (const { conditions } of rules.filter((one) => one.names.includes(name))) {
    for (const { index, value } of conditions)
      args[index] = value + ((random[index] ?? 0n) % 3n) - (value > 0n ? 1n : 0n);
  }
  return args;
}

const VALUES: Readonly<Record<string, number>> = { allow: ANSWER.allow, log: 0x7ffc0000, 'kill-process': ANSWER.kill };

function expected({ rules }: SeccompProfile, name: string, args: readonly bigint[]): number {
  const own = rules.filter((one) => one.names.includes(name));
  const conditional = own.filter((one) => one.conditions.length > 0);
  const hit =
    conditional.find((one) => one.conditions.every((condition) => holds(condition, args[condition.index] ?? 0n))) ??
    own.find((one) => one.conditions.length === 0);
  if (hit === undefined) return ANSWER.eperm;
  return VALUES[hit.action.kind] ?? 0x00050007;
}

function holds({ comparison, value, mask = 0n }: ArgumentCondition, arg: bigint): boolean {
  switch (comparison) {
    case 'equal':
      return arg === value;
    case 'not-equal':
      return arg !== value;
    case 'less':
      return arg < value;
    case 'less-or-equal':
      return arg <= value;
    case 'greater':
      return arg > value;
    case 'greater-or-equal':
      return arg >= value;
    case 'equal-masked':
      return (arg & mask) === value;
  }
}
