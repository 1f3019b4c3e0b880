import { setImmediate as nextTurn } from 'node:timers/promises';

// Long enough that handing over costs nothing, short enough that heartbeats, downloads and signals do not notice.
const SLICE = 15_000_000n; // nanoseconds

/**
 * Lets a long row of synchronous calls share the thread: await the result of each call between two steps.
 * Synchronous file system calls are several times faster than asynchronous ones, but nothing else runs meanwhile.
 */
export function createPacer(): () => Promise<void> | undefined {
  // performance.now() would load a module of Node's, which takes half a millisecond.
  let sliceEnd = process.hrtime.bigint() + SLICE;
  return (): Promise<void> | undefined => {
    if (process.hrtime.bigint() < sliceEnd) return undefined;
    return nextTurn().then(() => {
      sliceEnd = process.hrtime.bigint() + SLICE;
    });
  };
}
