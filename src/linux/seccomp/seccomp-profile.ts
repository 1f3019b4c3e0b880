/** A seccomp profile as docker reads it: https://docs.docker.com/engine/security/seccomp/ */
export interface SeccompProfile {
  defaultAction: Action;
  /** Machines, each with those whose programs it runs as well, in libseccomp's words: `SCMP_ARCH_X86_64`. */
  architectures: readonly { name: string; subArchitectures: readonly string[] }[];
  /** A later rule does not take back an earlier one: any rule that fits decides, those with conditions first. */
  rules: readonly ProfileRule[];
}

export interface ProfileRule {
  names: readonly string[];
  action: Action;
  /** All of them have to hold. */
  conditions: readonly ArgumentCondition[];
  /** The rule counts only where all of `capabilities` are granted, on any of `architectures` (docker's words: `amd64`). */
  includes: RuleScope;
  /** The rule does not count where any of it applies. */
  excludes: RuleScope;
}

export interface RuleScope {
  capabilities: readonly string[];
  architectures: readonly string[];
  /** `4.8` */
  minKernel?: string | undefined;
}

/** What the kernel is to do. `errno`, `trap` and `trace` carry a number of 16 bits. */
export type Action =
  { kind: 'allow' | 'log' | 'kill-thread' | 'kill-process' } | { kind: 'errno' | 'trap' | 'trace'; value: number };

/** `equal-masked`: the argument and `mask` give `value`. */
export interface ArgumentCondition {
  /** Of the argument, 0 to 5. */
  index: number;
  comparison: Comparison;
  value: bigint;
  mask?: bigint | undefined;
}

export type Comparison =
  'equal' | 'not-equal' | 'less' | 'less-or-equal' | 'greater' | 'greater-or-equal' | 'equal-masked';
