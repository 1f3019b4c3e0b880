import type { ToolErrorOptions } from '../errors.ts';
import { RegistryError, ToolError } from '../errors.ts';
import { abortedError } from './aborted.ts';
import type { Timing } from './timing.ts';

/**
 * Whether trying again can help. `at once`: the failure says nothing about the server's state (it closed an idle
 * connection), so the first retry need not wait. `afterMs`: how long the server asked to be left alone.
 */
export type RetryAdvice = { retry: 'never' } | { retry: 'at once' } | { retry: 'later'; afterMs?: number | undefined };

const NEVER: RetryAdvice = { retry: 'never' };

export interface RetryPolicy {
  /** Attempts that bring nothing new, before it is given up. */
  maxAttempts: number;
  /** The first wait, doubled each time up to `maxDelayMs`, each shortened by up to half at random. */
  baseDelayMs: number;
  maxDelayMs: number;
  /** The longest that a server may ask for; more is cut to this. */
  maxRetryAfterMs: number;
  /** What all waits in a row may add up to. */
  maxTotalDelayMs: number;
}

export const DEFAULT_RETRY_POLICY: Readonly<RetryPolicy> = {
  maxAttempts: 5,
  baseDelayMs: 1000,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 60_000,
  maxTotalDelayMs: 120_000,
};

/** How to retry, and the clock to do it by. */
export interface Retrying {
  policy: RetryPolicy;
  timing: Timing;
  /** Another host can be asked instead: one that cannot be reached is not tried again. */
  hasSuccessor?: boolean | undefined;
}

/** For a host that has a successor: once more, if it does not take long. */
const HASTE: Pick<RetryPolicy, 'maxAttempts' | 'maxDelayMs' | 'maxTotalDelayMs'> = {
  maxAttempts: 2,
  maxDelayMs: 1000,
  maxTotalDelayMs: 2000,
};

/** How to retry at a host that has a successor: never more than at one that has none. */
export function hastily({ policy, timing }: Retrying): Retrying {
  return {
    policy: {
      ...policy,
      maxAttempts: Math.min(policy.maxAttempts, HASTE.maxAttempts),
      maxDelayMs: Math.min(policy.maxDelayMs, HASTE.maxDelayMs),
      maxTotalDelayMs: Math.min(policy.maxTotalDelayMs, HASTE.maxTotalDelayMs),
    },
    timing,
    hasSuccessor: true,
  };
}

/** What kept an answer from coming. */
export type NetworkProblem =
  | 'name' // it cannot be resolved
  | 'refused' // nobody listens, or no route
  | 'timeout' // no connection, no head or no body in time
  | 'broken' // the connection was cut
  | 'certificate' // TLS, and a certificate is not good: theirs, or ours
  | 'tls' // no TLS could be agreed on, or it is none
  | 'protocol' // it is not HTTP/1.1, or too large a head
  | 'proxy' // the proxy did not let it through
  | 'forbidden'; // the address is one that must not be asked

/** No (complete) answer came. */
export class NetworkError extends ToolError {
  readonly problem: NetworkProblem;
  readonly advice: RetryAdvice;

  constructor(message: string, what: { problem: NetworkProblem; advice: RetryAdvice }, options: ToolErrorOptions = {}) {
    super('ERR_NETWORK', message, options);
    this.problem = what.problem;
    this.advice = what.advice;
  }
}

/** An answer with a status that is not what was wanted. */
export class StatusError extends RegistryError {
  readonly advice: RetryAdvice;

  constructor(
    message: string,
    what: { method: string; url: string; status: number; advice: RetryAdvice },
    options: ToolErrorOptions = {},
  ) {
    super(what.status === 401 || what.status === 403 ? 'ERR_AUTH' : 'ERR_REGISTRY', message, what, options);
    this.advice = what.advice;
  }
}

/** Whether the host itself is not to be had, and would not be for the next request either. */
export function isUnreachable(error: unknown): error is NetworkError {
  return error instanceof NetworkError && error.problem !== 'broken' && error.problem !== 'forbidden';
}

export function adviceOf(error: unknown): RetryAdvice {
  return error instanceof NetworkError || error instanceof StatusError ? error.advice : { retry: 'never' };
}

/** Failures in a row, and how long was waited because of them. Starts anew when something is gained. */
export interface Setbacks {
  failures: number;
  waitedMs: number;
}

export interface RetryOptions extends Retrying {
  signal?: AbortSignal | undefined;
  /** What is being done, for the error when it is aborted: `pull "alpine:latest"`. */
  action: string;
}

/** Runs `attempt` until it succeeds, fails for good, or has failed too often; then its last error is thrown. */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const setbacks: Setbacks = { failures: 0, waitedMs: 0 };
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const delayMs = nextDelay(error, setbacks, options);
      if (delayMs === undefined) throw error;
      await pause(delayMs, options);
    }
  }
}

/** Counts a failure. Milliseconds until the next attempt; undefined: give up. */
export function nextDelay(error: unknown, setbacks: Setbacks, retrying: Retrying): number | undefined {
  const { policy, timing, hasSuccessor = false } = retrying;
  const advice = hasSuccessor && isUnreachable(error) ? NEVER : adviceOf(error);
  setbacks.failures += 1;
  if (advice.retry === 'never' || setbacks.failures >= policy.maxAttempts) return undefined;
  if (advice.retry === 'at once' && setbacks.failures === 1) return 0;
  const backoffMs = Math.min(policy.baseDelayMs * 2 ** (setbacks.failures - 1), policy.maxDelayMs);
  const askedMs = advice.retry === 'later' ? advice.afterMs : undefined;
  const delayMs = Math.min(askedMs ?? backoffMs * (1 - timing.random() / 2), policy.maxRetryAfterMs);
  setbacks.waitedMs += delayMs;
  return setbacks.waitedMs > policy.maxTotalDelayMs ? undefined : delayMs;
}

export async function pause(milliseconds: number, { timing, signal, action }: RetryOptions): Promise<void> {
  try {
    if (milliseconds > 0) await timing.wait(milliseconds, signal);
  } catch (error) {
    throw signal?.aborted === true ? abortedError(action, signal) : error;
  }
}
