import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bundleSeccomp } from '../../../src/container/oci-bundle/bundle-seccomp.ts';
import { intConditions } from '../../../src/container/oci-bundle/int-conditions.ts';
import { applicableRules } from '../../../src/linux/seccomp/applicable-rules.ts';
import type { FilterTarget } from '../../../src/linux/seccomp/applicable-rules.ts';
import { parseSeccompProfile } from '../../../src/linux/seccomp/parse-profile.ts';
import type { Action, ArgumentCondition, SeccompProfile } from '../../../src/linux/seccomp/seccomp-profile.ts';
import { rounds, seed } from '../../support/soak.ts';

const DOCKER = parseSeccompProfile(
  readFileSync(new URL('../../../src/linux/seccomp/docker-default.json', import.meta.url)),
  'docker-default.json',
);
const TARGET: FilterTarget = {
  architecture: 'amd64',
  capabilities: new Set(['CAP_SYS_CHROOT']),
  kernelRelease: '6.1.0',
};
const EVERYWHERE = { capabilities: [], architectures: [] };

function profile(action: Action, conditions: ArgumentCondition[] = [], names = ['read']): SeccompProfile {
  return {
    defaultAction: { kind: 'kill-process' },
    architectures: [],
    rules: [{ names, action, conditions, includes: EVERYWHERE, excludes: EVERYWHERE }],
  };
}

describe('bundleSeccomp()', () => {
  it.each(['amd64', 'arm64'] as const)("names the same calls as the runner's own filter on %s", (architecture) => {
    for (const capabilities of [[], ['CAP_SYS_CHROOT'], ['CAP_SYS_ADMIN', 'CAP_BPF']]) {
      const target = { architecture, capabilities: new Set(capabilities), kernelRelease: '4.4.0' };
      const { syscalls } = bundleSeccomp(DOCKER, target);
      const names = new Set(syscalls.flatMap((rule) => rule.names));
      expect([...names].toSorted()).toEqual([...applicableRules(DOCKER, target).keys()].toSorted());
    }
  });

  it('has the default of the profile, and the kinds of programs of the machine alone', () => {
    expect(bundleSeccomp(DOCKER, TARGET)).toMatchObject({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    });
    expect(bundleSeccomp(DOCKER, { ...TARGET, architecture: 'arm64' }).architectures).toEqual([
      'SCMP_ARCH_AARCH64',
      'SCMP_ARCH_ARM',
    ]);
    const bare = bundleSeccomp(profile({ kind: 'allow' }), TARGET);
    expect(bare.architectures).toEqual(['SCMP_ARCH_X86_64']);
    expect(bare).not.toHaveProperty('defaultErrnoRet');
  });

  it.each<[Action, object]>([
    [{ kind: 'allow' }, { action: 'SCMP_ACT_ALLOW' }],
    [{ kind: 'log' }, { action: 'SCMP_ACT_LOG' }],
    [{ kind: 'kill-thread' }, { action: 'SCMP_ACT_KILL_THREAD' }],
    [{ kind: 'kill-process' }, { action: 'SCMP_ACT_KILL_PROCESS' }],
    [
      { kind: 'errno', value: 38 },
      { action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    ],
    [
      { kind: 'trace', value: 7 },
      { action: 'SCMP_ACT_TRACE', errnoRet: 7 },
    ],
    [{ kind: 'trap', value: 1 }, { action: 'SCMP_ACT_TRAP' }], // runtimes refuse a number here
  ])('translates %o', (action, rule) => {
    expect(bundleSeccomp(profile(action), TARGET).syscalls).toEqual([{ names: ['read'], ...rule }]);
  });

  it('translates conditions, those on the same call side by side', () => {
    const conditions: ArgumentCondition[] = [
      { index: 1, comparison: 'greater', value: 1n << 40n },
      { index: 0, comparison: 'equal-masked', value: 2n, mask: 3n },
    ];
    expect(bundleSeccomp(profile({ kind: 'allow' }, conditions, ['read', 'write']), TARGET).syscalls).toEqual(
      ['read', 'write'].map((name) => ({
        names: [name],
        action: 'SCMP_ACT_ALLOW',
        args: [
          { index: 1, value: 1n << 40n, op: 'SCMP_CMP_GT' },
          { index: 0, value: 3n, valueTwo: 2n, op: 'SCMP_CMP_MASKED_EQ' },
        ],
      })),
    );
  });

  it('X21 lets no socket by whose family has bits that the kernel drops', () => {
    const rules = bundleSeccomp(DOCKER, TARGET).syscalls.filter(({ names }) => names.includes('socket'));
    const isAllowed = (family: bigint): boolean =>
      rules.some(({ args = [] }) =>
        args.every(({ value, valueTwo, op }) => op === 'SCMP_CMP_MASKED_EQ' && (family & value) === valueTwo),
      );
    const blocked = [38n, 40n];
    for (let family = 0n; family < 64n; family += 1n) {
      for (const upper of [0n, 1n << 32n, 1n << 63n]) {
        expect(isAllowed(family + upper), `${family + upper}`).toBe(!blocked.includes(family));
      }
    }
  });
});

describe('intConditions()', () => {
  const holds = ({ comparison, value, mask = 0n }: ArgumentCondition, argument: bigint): boolean =>
    ({
      equal: argument === value,
      'not-equal': argument !== value,
      less: argument < value,
      'less-or-equal': argument <= value,
      greater: argument > value,
      'greater-or-equal': argument >= value,
      'equal-masked': (argument & mask) === value,
    })[comparison];
  const number = fc.oneof(
    fc.bigInt(0n, 0xffffffffn),
    fc.constantFrom(0n, 1n, 38n, 0x7fffffffn, 0xfffffffen, 0xffffffffn),
  );
  const comparisons = ['equal', 'not-equal', 'less', 'less-or-equal', 'greater', 'greater-or-equal'] as const;

  it('mean the same of the lower 32 bits, whatever stands above them', () => {
    fc.assert(
      fc.property(fc.constantFrom(...comparisons), number, number, number, (comparison, value, argument, upper) => {
        const condition = { index: 0, comparison, value };
        const found = intConditions(condition);
        for (const near of [argument, value, (value + 1n) & 0xffffffffn]) {
          const full = near | (upper << 32n);
          expect(found.some((one) => holds(one, full))).toBe(holds(condition, near));
        }
        expect(found.length).toBeLessThanOrEqual(33);
      }),
      { seed, numRuns: rounds(300, 20_000) },
    );
  });

  it('keep a mask, without its upper half', () => {
    const condition = { index: 0, comparison: 'equal-masked', value: 1n, mask: (1n << 40n) | 3n } as const;
    expect(intConditions(condition)).toEqual([{ ...condition, mask: 3n }]);
  });
});
