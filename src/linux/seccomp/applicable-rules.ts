import type { Action, ArgumentCondition, ProfileRule, SeccompProfile } from './seccomp-profile.ts';

/** What decides which rules of a profile count. */
export interface FilterTarget {
  /** As Go and docker name it. */
  architecture: 'amd64' | 'arm64';
  /** With `CAP_` in front. */
  capabilities: ReadonlySet<string>;
  /** Of the kernel: `6.1.0-13-amd64`. */
  kernelRelease: string;
}

/** What happens to one system call. */
export interface CallRules {
  /** In the order of the profile; the first that holds decides. */
  conditional: { conditions: readonly ArgumentCondition[]; action: Action }[];
  /** Otherwise this, otherwise the default. */
  otherwise?: Action | undefined;
}

/** The rules that count for `target`, by system call. */
export function applicableRules(profile: SeccompProfile, target: FilterTarget): Map<string, CallRules> {
  const calls = new Map<string, CallRules>();
  for (const rule of profile.rules.filter((one) => applies(one, target))) {
    for (const name of rule.names) addRule(calls, name, rule);
  }
  return calls;
}

/** Whether a rule counts for `target`. */
export function applies({ includes, excludes }: ProfileRule, target: FilterTarget): boolean {
  if (!includes.capabilities.every((name) => target.capabilities.has(name))) return false;
  if (includes.architectures.length > 0 && !includes.architectures.includes(target.architecture)) return false;
  if (includes.minKernel !== undefined && isOlder(target.kernelRelease, includes.minKernel)) return false;
  if (excludes.capabilities.some((name) => target.capabilities.has(name))) return false;
  if (excludes.architectures.includes(target.architecture)) return false;
  return excludes.minKernel === undefined || isOlder(target.kernelRelease, excludes.minKernel);
}

function isOlder(release: string, than: string): boolean {
  const [a, b] = [numbersOf(release), numbersOf(than)];
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}

function numbersOf(release: string): [number, number] {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return [Number(major), Number(minor)];
}

function addRule(calls: Map<string, CallRules>, name: string, { conditions, action }: ProfileRule): void {
  const rules = calls.get(name) ?? { conditional: [] };
  calls.set(name, rules);
  if (conditions.length > 0) rules.conditional.push({ conditions, action });
  else rules.otherwise ??= action;
}
