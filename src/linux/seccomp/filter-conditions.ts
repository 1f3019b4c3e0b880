import type { BpfAssembler, JumpComparison, Label } from './bpf-assembler.ts';
import type { ArgumentCondition } from './seccomp-profile.ts';

export interface ConditionsOfCall {
  /** The system call. */
  name: string;
  conditions: readonly ArgumentCondition[];
  /** A 32-bit program's arguments have an upper half of zeros. */
  has64BitArguments: boolean;
}

/** Where to go on. */
export interface Targets {
  yes: Label;
  no: Label;
}

/**
 * Arguments of which the kernel looks at the lower 32 bits alone (`int family`): with the upper half compared as well, as
 * libseccomp does, a program gets by with bits set there that the kernel drops.
 */
export const INT_ARGUMENTS: Readonly<Record<string, readonly number[]>> = { personality: [0], socket: [0, 1, 2] };

/** Goes on at `yes` if all conditions hold. */
export function writeConditions(code: BpfAssembler, call: ConditionsOfCall, { yes, no }: Targets): Label {
  let next = yes;
  for (const condition of call.conditions.toReversed()) {
    const isInt = !call.has64BitArguments || INT_ARGUMENTS[call.name]?.includes(condition.index) === true;
    next = isInt ? writeLow(code, condition, { yes: next, no }) : writeWide(code, condition, { yes: next, no });
  }
  return next;
}

/** Offset of the arguments in struct seccomp_data: six little-endian words of 64 bits. */
const ARGUMENTS = 16;

const low = (value: bigint): number => Number(value & 0xffffffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffffffffn);

function writeLow(code: BpfAssembler, condition: ArgumentCondition, targets: Targets): Label {
  const { comparison, swap } = basicComparison(condition);
  const test = code.jump(comparison, low(condition.value), swap ? swapped(targets) : targets);
  return loadHalf(code, condition, { half: 'low', next: test });
}

/** The upper halves decide, unless they are equal. */
function writeWide(code: BpfAssembler, condition: ArgumentCondition, targets: Targets): Label {
  const { comparison, swap } = basicComparison(condition);
  const { yes, no } = swap ? swapped(targets) : targets;
  const { value } = condition;
  const lowTest = code.jump(comparison, low(value), { yes, no });
  const lower = loadHalf(code, condition, { half: 'low', next: lowTest });
  const equal = code.jump('equal', high(value), { yes: lower, no });
  const test = comparison === 'equal' ? equal : code.jump('greater', high(value), { yes, no: equal });
  return loadHalf(code, condition, { half: 'high', next: test });
}

function loadHalf(
  code: BpfAssembler,
  { index, mask }: ArgumentCondition,
  { half, next }: { half: 'low' | 'high'; next: Label },
): Label {
  const masked = mask === undefined ? next : code.and(half === 'low' ? low(mask) : high(mask), next);
  return code.load(ARGUMENTS + index * 8 + (half === 'low' ? 0 : 4), masked);
}

/** BPF has three comparisons; the others are these with the targets swapped. */
function basicComparison({ comparison }: ArgumentCondition): { comparison: JumpComparison; swap: boolean } {
  switch (comparison) {
    case 'equal':
    case 'equal-masked':
      return { comparison: 'equal', swap: false };
    case 'not-equal':
      return { comparison: 'equal', swap: true };
    case 'greater':
      return { comparison: 'greater', swap: false };
    case 'less-or-equal':
      return { comparison: 'greater', swap: true };
    case 'greater-or-equal':
      return { comparison: 'greater-or-equal', swap: false };
    case 'less':
      return { comparison: 'greater-or-equal', swap: true };
  }
}

function swapped({ yes, no }: Targets): Targets {
  return { yes: no, no: yes };
}
