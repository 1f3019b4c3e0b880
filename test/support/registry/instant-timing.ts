import type { Timing } from '../../../src/registry/timing.ts';

/** Longer than any wait between two tries: only the watch over a body's rate asks for it. Milliseconds. */
export const RATE_WINDOW = 1_000_000_000;

export interface InstantTiming extends Timing {
  /** Waits between tries that were asked for, in milliseconds. */
  readonly waits: number[];
  /** Lets the clock of `now` and `date` go on. */
  advance(milliseconds: number): void;
}

/** A clock that stands still, on which every wait between tries is over at once, and none over a body ever. */
export function instantTiming(date: number = Date.UTC(2024, 0, 2, 3, 4, 5)): InstantTiming {
  const waits: number[] = [];
  let passed = 0;
  return {
    waits,
    advance: (milliseconds) => void (passed += milliseconds),
    now: () => passed,
    date: () => date + passed,
    random: () => 0,
    async wait(milliseconds, signal) {
      signal?.throwIfAborted();
      if (milliseconds < RATE_WINDOW) {
        waits.push(milliseconds);
        return;
      }
      await new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    },
  };
}
