import { PR, SIGNAL, SIG_SETMASK } from './process-flags.ts';
import type { Step } from './program.ts';

/**
 * The signal by which a waiter learns that its parent has ended, or that its child shall be killed: SIGSTKFLT, which no kernel
 * sends. Not a real-time signal: Node reports a process that one of those has ended as exited with 0.
 */
export const DEATH_SIGNAL = 16;

// SIGPIPE and SIGCHLD arise from the waiter's own doings, the others are job control and out-of-band data of the terminal.
const NOT_FORWARDED: readonly number[] = [
  SIGNAL.PIPE,
  SIGNAL.CHLD,
  SIGNAL.TSTP,
  SIGNAL.TTIN,
  SIGNAL.TTOU,
  SIGNAL.URG,
  DEATH_SIGNAL,
];

/** What a waiter passes on; signal n is bit n - 1, as in a sigset_t. */
export function forwardedSignals(): bigint {
  let mask = (1n << 64n) - 1n;
  for (const signal of NOT_FORWARDED) mask &= ~(1n << BigInt(signal - 1));
  return mask;
}

/**
 * What a fork step is made of: signals are blocked before it, so that the waiter misses none, and unblocked in the child.
 * The death signal comes last before the fork because the kernel forgets it whenever credentials change.
 */
export function forkSteps(fork: Step): Step[] {
  const { what } = fork;
  return [
    { call: 'rt_sigprocmask', args: [SIG_SETMASK, ALL_SIGNALS, 0, 8], what },
    { call: 'prctl', args: [PR.SET_PDEATHSIG, DEATH_SIGNAL], what },
    { call: 'prctl', args: [PR.SET_DUMPABLE, 0], what },
    fork,
    { call: 'rt_sigprocmask', args: [SIG_SETMASK, NO_SIGNALS, 0, 8], what },
  ];
}

const ALL_SIGNALS = Buffer.alloc(8, 0xff); // a sigset_t of the kernel
const NO_SIGNALS = Buffer.alloc(8);
