import { applies } from '../../linux/seccomp/applicable-rules.ts';
import type { FilterTarget } from '../../linux/seccomp/applicable-rules.ts';
import { INT_ARGUMENTS } from '../../linux/seccomp/filter-conditions.ts';
import type {
  Action,
  ArgumentCondition,
  Comparison,
  ProfileRule,
  SeccompProfile,
} from '../../linux/seccomp/seccomp-profile.ts';
import { intConditions } from './int-conditions.ts';
import type { OciSeccomp, OciSeccompRule } from './oci-config.ts';

/** A profile of docker's as a runtime takes it: the rules that count for `target`, without what they depend on. */
export function bundleSeccomp(profile: SeccompProfile, target: FilterTarget): OciSeccomp {
  const { action, errnoRet } = actionOf(profile.defaultAction);
  return {
    defaultAction: action,
    ...(errnoRet === undefined ? {} : { defaultErrnoRet: errnoRet }),
    architectures: architecturesOf(profile, target),
    syscalls: profile.rules.filter((rule) => rule.names.length > 0 && applies(rule, target)).flatMap(rulesOf),
  };
}

/** The machine's own kind of programs first, and those that it also runs. */
const KINDS: Readonly<Record<FilterTarget['architecture'], readonly [own: string, ...others: string[]]>> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

function architecturesOf({ architectures }: SeccompProfile, { architecture }: FilterTarget): string[] {
  const [own, ...others] = KINDS[architecture];
  const listed = architectures.find(({ name }) => name === own);
  const names = [...(listed?.subArchitectures ?? []), ...architectures.map(({ name }) => name)];
  return [own, ...others.filter((name) => names.includes(name))];
}

/** All conditions of a rule have to hold; of what becomes several rules, any. */
function rulesOf({ names, action, conditions }: ProfileRule): OciSeccompRule[] {
  if (conditions.length === 0) return [{ names: [...names], ...actionOf(action) }];
  return names.flatMap((name) =>
    alternatives(name, conditions).map((args) => ({ names: [name], ...actionOf(action), args: args.map(conditionOf) })),
  );
}

function alternatives(name: string, [first, ...others]: readonly ArgumentCondition[]): ArgumentCondition[][] {
  if (first === undefined) return [[]];
  const firsts = INT_ARGUMENTS[name]?.includes(first.index) === true ? intConditions(first) : [first];
  return alternatives(name, others).flatMap((rest) => firsts.map((one) => [one, ...rest]));
}

function actionOf(action: Action): { action: string; errnoRet?: number } {
  const name = ACTIONS[action.kind];
  // Runtimes refuse a number with the others, a trap's among them, which nobody gets to see.
  return action.kind === 'errno' || action.kind === 'trace'
    ? { action: name, errnoRet: action.value }
    : { action: name };
}

const ACTIONS: Readonly<Record<Action['kind'], string>> = {
  allow: 'SCMP_ACT_ALLOW',
  log: 'SCMP_ACT_LOG',
  'kill-thread': 'SCMP_ACT_KILL_THREAD',
  'kill-process': 'SCMP_ACT_KILL_PROCESS',
  errno: 'SCMP_ACT_ERRNO',
  trap: 'SCMP_ACT_TRAP',
  trace: 'SCMP_ACT_TRACE',
};

function conditionOf(condition: ArgumentCondition): NonNullable<OciSeccompRule['args']>[number] {
  const { index, comparison, value, mask } = condition;
  const op = COMPARISONS[comparison];
  return mask === undefined ? { index, value, op } : { index, value: mask, valueTwo: value, op };
}

const COMPARISONS: Readonly<Record<Comparison, string>> = {
  equal: 'SCMP_CMP_EQ',
  'not-equal': 'SCMP_CMP_NE',
  less: 'SCMP_CMP_LT',
  'less-or-equal': 'SCMP_CMP_LE',
  greater: 'SCMP_CMP_GT',
  'greater-or-equal': 'SCMP_CMP_GE',
  'equal-masked': 'SCMP_CMP_MASKED_EQ',
};
