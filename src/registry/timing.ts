import { setTimeout as delay } from 'node:timers/promises';

/** Everything that has to do with time, so that tests need none. */
export interface Timing {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Milliseconds since 1970: for dates that a registry sends, nothing else. */
  date(): number;
  /** Resolves after `milliseconds`; rejects when the signal aborts. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** From 0 up to but not 1. */
  random(): number;
}

export function systemTiming(): Timing {
  return {
    now: () => performance.now(),
    date: () => Date.now(),
    wait: async (milliseconds, signal) => delay(milliseconds, undefined, signal === undefined ? {} : { signal }),
    random: () => Math.random(),
  };
}
