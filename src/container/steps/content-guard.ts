import { constants } from 'node:fs';
import { posix } from 'node:path';
import { AT, O } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';

export interface GuardOptions {
  /** The container's folder, absolute. */
  folder: string;
  /** Number of the lock file's descriptor in the runner. */
  lock: number;
  /** Folders of the layers, absolute. */
  layers: readonly string[];
  /** The lock file that a garbage collection holds exclusively. */
  gcLock: string;
}

/** A file in the container's folder: whoever finds it, and the lock free, knows that the container has ended. */
export const STARTED = 'started';

/** How the `what` of looking at a layer starts. */
export const LAYER = 'use the layer';

/** The `what` of making the file above. */
export const RECORD_START = 'record the start of the container';

const LOCK = { SHARED: 1, EXCLUSIVE: 2 } as const; // flock(2)
const F_OK = 0;

/**
 * Takes the container's lock, which the waiter then holds as long as the container lives, and makes sure that the layers are
 * there to stay: the record is written, so a garbage collection that starts after this sees it, and one that is under way is
 * waited for.
 */
export function contentGuardSteps({ folder, lock, layers, gcLock }: GuardOptions): Step[] {
  const what = 'wait for a garbage collection';
  return [
    // Waits for those who only look whether it is held.
    { call: 'flock', args: [lock, LOCK.EXCLUSIVE], what: 'lock the container' },
    {
      call: 'mknodat',
      args: [AT.FDCWD, posix.join(folder, STARTED), constants.S_IFREG | 0o600, 0],
      what: RECORD_START,
    },
    { call: 'openat', args: [AT.FDCWD, gcLock, O.CLOEXEC | constants.O_CREAT, 0o600], save: 'gc lock', what },
    { call: 'flock', args: [{ result: 'gc lock' }, LOCK.SHARED], what },
    ...layers.map((layer): Step => ({
      call: 'faccessat2',
      args: [AT.FDCWD, posix.join(layer, 'done'), F_OK, 0],
      what: `${LAYER} "${posix.basename(layer)}"`,
    })),
    { call: 'close', args: [{ result: 'gc lock' }], what },
  ];
}
