import { applicableRules } from './applicable-rules.ts';
import type { CallRules, FilterTarget } from './applicable-rules.ts';
import { createBpfAssembler } from './bpf-assembler.ts';
import type { BpfAssembler, Label } from './bpf-assembler.ts';
import { writeConditions } from './filter-conditions.ts';
import type { Action, SeccompProfile } from './seccomp-profile.ts';
import { syscallTable } from './syscall-tables.ts';
import type { Abi } from './syscall-tables.ts';

/** Offsets in struct seccomp_data, bytes. */
const NUMBER = 0;
const ARCHITECTURE = 4;

/** What the kernel calls an ABI (AUDIT_ARCH_*, include/uapi/linux/audit.h), and libseccomp. */
const ABIS: Readonly<Record<Abi, { audit: number; seccompName: string; has64BitArguments: boolean }>> = {
  x64: { audit: 0xc000003e, seccompName: 'SCMP_ARCH_X86_64', has64BitArguments: true },
  ia32: { audit: 0x40000003, seccompName: 'SCMP_ARCH_X86', has64BitArguments: false },
  arm64: { audit: 0xc00000b7, seccompName: 'SCMP_ARCH_AARCH64', has64BitArguments: true },
  arm: { audit: 0x40000028, seccompName: 'SCMP_ARCH_ARM', has64BitArguments: false },
};

/** The machine's own kind of programs, and the 32-bit kind that it also runs. */
const KINDS: Readonly<Record<FilterTarget['architecture'], readonly [Abi, Abi]>> = {
  amd64: ['x64', 'ia32'],
  arm64: ['arm64', 'arm'],
};

const ENOSYS = 38;

/**
 * Compiles a profile to the filter that seccomp(2) takes: an array of struct sock_filter.
 * Programs of the machine's 32-bit kind are filtered by their own numbers; those of any other kind are killed. x32, which
 * docker's profile lists, counts as a kind that has no calls. Names that no table knows are passed over, as libseccomp does.
 * A call that is newer than all that the profile names is answered with ENOSYS rather than the default error, so that programs
 * fall back to an older one: https://github.com/opencontainers/runc/blob/v1.3.0/libcontainer/seccomp/patchbpf/enosys_linux.go
 */
export function compileFilter(profile: SeccompProfile, target: FilterTarget): Buffer {
  const rules = applicableRules(profile, target);
  const code = createBpfAssembler();
  let next = code.return(actionValue({ kind: 'kill-process' }));
  for (const abi of abisOf(profile, target).toReversed()) {
    const yes = code.load(NUMBER, writeCalls(code, { abi, rules, profile }));
    next = code.jump('equal', ABIS[abi].audit, { yes, no: next });
  }
  code.load(ARCHITECTURE, next);
  return code.bytes();
}

function abisOf({ architectures }: SeccompProfile, { architecture }: FilterTarget): Abi[] {
  const [own, other] = KINDS[architecture];
  const listed = architectures.find(({ name }) => name === ABIS[own].seccompName);
  const names = [...(listed?.subArchitectures ?? []), ...architectures.map(({ name }) => name)];
  return names.includes(ABIS[other].seccompName) ? [own, other] : [own];
}

interface Calls {
  abi: Abi;
  rules: ReadonlyMap<string, CallRules>;
  profile: SeccompProfile;
}

/** From `first` on, up to the next range, all numbers get the same. */
interface Range {
  first: number;
  /** Of the call, where the range is one call that has conditions. */
  name: string;
  rules: Pick<CallRules, 'conditional'> & { otherwise: Action };
}

/** A search in a tree: eight or nine comparisons, where a list of all calls would take hundreds. */
function writeCalls(code: BpfAssembler, calls: Calls): Label {
  const { has64BitArguments } = ABIS[calls.abi];
  const write = (ranges: readonly Range[]): Label => {
    const [range] = ranges;
    if (range === undefined) throw new RangeError('a tree has leaves');
    if (ranges.length === 1) return writeRules(code, range, has64BitArguments);
    const middle = ranges.length >> 1;
    const no = write(ranges.slice(0, middle));
    const yes = write(ranges.slice(middle));
    return code.jump('greater-or-equal', ranges[middle]?.first ?? 0, { yes, no });
  };
  return write(rangesOf(calls));
}

function rangesOf({ abi, rules, profile: { defaultAction, ...profile } }: Calls): Range[] {
  const table = syscallTable(abi);
  const unknown: Action = defaultAction.kind === 'errno' ? { kind: 'errno', value: ENOSYS } : defaultAction;
  const highest = highestNamed(profile, table);
  const named = new Map<number, Range>();
  for (const [name, { conditional, otherwise = defaultAction }] of rules) {
    const first = table.get(name);
    if (first !== undefined) named.set(first, { first, name, rules: { conditional, otherwise } });
  }
  const ranges: Range[] = [];
  const firsts = new Set([0, highest + 1, ...[...named.keys()].flatMap((number) => [number, number + 1])]);
  for (const first of [...firsts].toSorted((a, b) => a - b)) {
    const unnamed = { conditional: [], otherwise: first > highest ? unknown : defaultAction };
    const range = named.get(first) ?? { first, name: '', rules: unnamed };
    if (!isSame(ranges.at(-1), range)) ranges.push(range);
  }
  return ranges;
}

/** Numbers above it are in no list; those of arm's private calls are in one of their own. */
function highestNamed({ rules }: Pick<SeccompProfile, 'rules'>, table: ReadonlyMap<string, number>): number {
  const numbers = rules.flatMap(({ names }) => names.map((name) => table.get(name) ?? 0));
  return Math.max(0, ...numbers.filter((number) => number < ARM_PRIVATE_BASE));
}

const ARM_PRIVATE_BASE = 0x0f0000;

function isSame(previous: Range | undefined, { rules }: Range): boolean {
  if (previous === undefined || previous.rules.conditional.length + rules.conditional.length > 0) return false;
  return actionValue(previous.rules.otherwise) === actionValue(rules.otherwise);
}

function writeRules(code: BpfAssembler, { name, rules }: Range, has64BitArguments: boolean): Label {
  let no = code.return(actionValue(rules.otherwise));
  for (const { conditions, action } of rules.conditional.toReversed()) {
    const yes = code.return(actionValue(action));
    no = writeConditions(code, { name, conditions, has64BitArguments }, { yes, no });
  }
  return no;
}

/** SECCOMP_RET_*, with the number that goes with it in the lower half: include/uapi/linux/seccomp.h. */
const ACTIONS: Readonly<Record<Action['kind'], number>> = {
  'kill-process': 0x80000000,
  'kill-thread': 0,
  trap: 0x00030000,
  errno: 0x00050000,
  trace: 0x7ff00000,
  log: 0x7ffc0000,
  allow: 0x7fff0000,
};

function actionValue(action: Action): number {
  return (ACTIONS[action.kind] | ('value' in action ? action.value : 0)) >>> 0;
}
