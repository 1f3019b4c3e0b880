import { describe, expect, it } from 'vitest';

import { parseSeccompProfile } from '../../../src/linux/seccomp/parse-profile.ts';

function parse(document: unknown): ReturnType<typeof parseSeccompProfile> {
  return parseSeccompProfile(Buffer.from(JSON.stringify(document)), 'profile.json');
}

const NOWHERE = { capabilities: [], architectures: [], minKernel: undefined };

describe('parseSeccompProfile()', () => {
  it("reads docker's form", () => {
    const profile = parse({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
      syscalls: [
        {
          names: ['clone'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 2114060288, op: 'SCMP_CMP_MASKED_EQ' }],
          includes: { arches: ['amd64'], minKernel: '4.8' },
          excludes: { caps: ['CAP_SYS_ADMIN'] },
        },
      ],
    });
    expect(profile).toEqual({
      defaultAction: { kind: 'errno', value: 38 },
      architectures: [{ name: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
      rules: [
        {
          names: ['clone'],
          action: { kind: 'allow' },
          conditions: [{ index: 0, comparison: 'equal-masked', mask: 2114060288n, value: 0n }],
          includes: { capabilities: [], architectures: ['amd64'], minKernel: '4.8' },
          excludes: { capabilities: ['CAP_SYS_ADMIN'], architectures: [], minKernel: undefined },
        },
      ],
    });
  });

  it('reads the old form, with one name per rule and a plain list of architectures', () => {
    const rule = { name: 'read', action: 'SCMP_ACT_KILL', args: null };
    expect(parse({ defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86_64'], syscalls: [rule] })).toEqual({
      defaultAction: { kind: 'allow' },
      architectures: [{ name: 'SCMP_ARCH_X86_64', subArchitectures: [] }],
      rules: [
        { names: ['read'], action: { kind: 'kill-thread' }, conditions: [], includes: NOWHERE, excludes: NOWHERE },
      ],
    });
  });

  const allow = { defaultAction: 'SCMP_ACT_ALLOW' };
  it.each([
    [[], 'an object was wanted'],
    [{}, 'its action is missing'],
    [{ defaultAction: 'SCMP_ACT_NOTIFY' }, 'which is not known'],
    [{ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 70_000 }, '16 bits'],
    [{ ...allow, syscalls: {} }, 'an array was wanted'],
    [{ ...allow, syscalls: [{ names: [1], action: 'SCMP_ACT_ALLOW' }] }, 'a string was wanted'],
    [{ ...allow, syscalls: [{ action: 'SCMP_ACT_ALLOW', args: [{ index: 6, op: 'SCMP_CMP_EQ' }] }] }, 'a call has six'],
    [{ ...allow, syscalls: [{ action: 'SCMP_ACT_ALLOW', args: [{ op: 'EQ' }] }] }, 'its comparison is "EQ"'],
    [{ ...allow, syscalls: [{ action: 'SCMP_ACT_ALLOW', args: [{ value: -1, op: 'SCMP_CMP_EQ' }] }] }, 'whole number'],
    [
      { ...allow, syscalls: [{ action: 'SCMP_ACT_ALLOW', args: [{ value: 2 ** 60, op: 'SCMP_CMP_EQ' }] }] },
      'whole number',
    ],
  ])('refuses %j', (document, reason) => {
    expect(() => parse(document)).toThrow(reason);
  });
});
