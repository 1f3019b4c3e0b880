import fs from 'node:fs/promises';

import { printable } from '../printable.ts';
import { pause, throwIfAborted } from './abort.ts';
import { diskError, hasErrno } from './disk-error.ts';

export interface AdvisoryLock {
  /** Never throws: what is left behind counts as abandoned after a while. */
  release(): Promise<void>;
}

export interface AdvisoryLockOptions {
  signal?: AbortSignal | undefined;
  /** Called once, when somebody else has the lock. */
  onWait?: (() => void) | undefined;
  /** Asked before every further try; true ends the waiting without the lock. */
  giveUp?: (() => Promise<boolean>) | undefined;
}

// The holder's heart beats every 4 s, so its event loop has to stand still for 16 s before others take it for dead.
const STALE = 20_000; // ms
const HEARTBEAT = 4_000; // ms
const POLL = 50; // ms

/**
 * Takes the advisory lock `<path>.lock` (a folder with a heartbeat, proper-lockfile), waiting for whoever has it.
 * Undefined only when `giveUp` said so. Throws ERR_ABORTED; ERR_NO_SPACE, ERR_STORE.
 *
 * Advisory: it saves double work and never guards content. Two may hold it at once after a crash, after a long pause of the
 * holder, or when the clock jumps. What must not happen twice at once takes a `lockFile` as well.
 */
export async function lockAdvisory(path: string, options: AdvisoryLockOptions): Promise<AdvisoryLock | undefined> {
  const { signal, onWait, giveUp } = options;
  const task = `lock "${printable(path, Infinity)}"`;
  throwIfAborted(signal, task);
  let lock = await tryAdvisoryLock(path);
  if (lock === undefined) onWait?.();
  while (lock === undefined) {
    if ((await giveUp?.()) === true) return undefined;
    await pause(POLL, signal, task);
    lock = await tryAdvisoryLock(path);
  }
  return lock;
}

/** Takes the lock from a holder that is known to be dead, without waiting for its heartbeat to become stale. */
export async function breakAdvisoryLock(path: string): Promise<AdvisoryLock | undefined> {
  await fs.rmdir(advisoryLockPath(path)).catch(() => undefined); // somebody else may have been faster
  return tryAdvisoryLock(path);
}

/** The folder whose existence is the lock. */
export function advisoryLockPath(path: string): string {
  return `${path}.lock`;
}

async function tryAdvisoryLock(path: string): Promise<AdvisoryLock | undefined> {
  // Loaded here: it brings graceful-fs and signal handlers along, which nothing on the way of `run` needs.
  const { default: properLockfile } = await import('proper-lockfile');
  try {
    const release = await properLockfile.lock(path, {
      lockfilePath: advisoryLockPath(path),
      realpath: false, // the file need not exist
      retries: 0, // its retries can be neither aborted nor told to give up
      stale: STALE,
      update: HEARTBEAT,
      onCompromised: () => undefined, // by default it throws out of a timer and ends the process
    });
    return { release: async () => release().catch(() => undefined) };
  } catch (error) {
    if (hasErrno(error, 'ELOCKED') || isGone(error)) return undefined;
    throw diskError(error, 'lock', path);
  }
}

/** Somebody who took its holder for dead removed the folder between the calls that make it and look at it. */
function isGone(error: unknown): boolean {
  return hasErrno(error, 'ENOENT') && (error as NodeJS.ErrnoException).syscall !== 'mkdir'; // that: there is no place for it
}
