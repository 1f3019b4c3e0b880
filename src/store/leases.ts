import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

import { diskError, hasErrno } from '../fs/disk-error.ts';
import { lockFile, tryFileLock, withFileLock, type FileLock } from '../fs/kernel-lock.ts';
import { isDigest, type Digest } from '../oci/digest.ts';
import { damaged } from './damaged.ts';
import type { StorePaths } from './layout.ts';

/**
 * Keeps content that has no name yet from garbage collection, until it is released or the process ends.
 * A digest stands for the blob, for the layer of that chain ID, and for what the blob refers to if it is a manifest, an index
 * or an image config. It need not be in the store yet.
 */
export interface Lease {
  /** Once this has answered, what is found in the store stays there. */
  add(...digests: Digest[]): Promise<void>;
  /** May be called more than once. Never throws. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  /** Ends the waiting of `add` for garbage collection. */
  signal?: AbortSignal | undefined;
}

/** Begins a lease that holds nothing yet. Throws ERR_NO_SPACE, ERR_STORE. */
export async function createLease(
  { paths }: { paths: Pick<StorePaths, 'leases' | 'gcLock'> },
  { signal }: LeaseOptions = {},
): Promise<Lease> {
  const path = join(paths.leases, randomBytes(8).toString('hex'));
  const lock = await lockFile(path, 'exclusive', { signal });
  let released = false;
  return {
    async add(...digests) {
      // Waits for a collection that has read the leases already: what it deletes must be gone before the caller looks.
      await withFileLock({ path: paths.gcLock, kind: 'shared', signal }, async () => append(lock, path, digests));
    },
    // oxlint-disable-next-line typescript/require-await -- the interface leaves room for it
    async release() {
      if (!released) remove(path);
      released = true;
      lock.release();
    },
  };
}

/**
 * What the leases of living processes hold. Call with the garbage collection lock held exclusively, so that none is being
 * written. Leases that nobody holds are of processes that have died: they are passed over, and removed unless they are to stay.
 * Throws ERR_STORE_DAMAGED if a lease cannot be read.
 */
export function readLeases(
  { leases }: Pick<StorePaths, 'leases'>,
  { keepAbandoned = false }: { keepAbandoned?: boolean } = {},
): Set<Digest> {
  const held = new Set<Digest>();
  for (const name of fs.readdirSync(leases)) {
    const path = join(leases, name);
    if (isAbandoned(path, { keep: keepAbandoned })) continue;
    for (const digest of readLease(path)) held.add(digest);
  }
  return held;
}

/** Not made durable: after a power failure its process is gone too, and with it the lease. */
function append({ fd }: FileLock, path: string, digests: readonly Digest[]): void {
  const { size } = fs.fstatSync(fd);
  const lines = Buffer.from(digests.map((digest) => `${digest}\n`).join(''));
  try {
    let done = 0;
    while (done < lines.length) done += fs.writeSync(fd, lines, done, lines.length - done, size + done);
  } catch (error) {
    truncate(fd, size);
    throw diskError(error, 'write', path);
  }
}

/** Half a line would make every collection refuse, until this process ends. */
function truncate(fd: number, size: number): void {
  try {
    fs.ftruncateSync(fd, size);
  } catch {
    // The error that led here is the one that tells.
  }
}

function remove(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {
    // Garbage collection removes it as soon as it is not locked.
  }
}

function isAbandoned(path: string, { keep }: { keep: boolean }): boolean {
  try {
    const lock = tryFileLock(path, 'exclusive', { create: false });
    if (lock === undefined) return false;
    if (!keep) fs.unlinkSync(path);
    lock.release();
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return true; // released this very moment
    throw error;
  }
}

function readLease(path: string): Digest[] {
  const lines = readIfThere(path).split('\n');
  if (lines.pop() !== '' || !lines.every(isDigest)) {
    throw damaged(path, 'it is not a list of digests', { hint: 'End all running mydocker commands, and try again.' });
  }
  return lines;
}

function readIfThere(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return '';
    throw diskError(error, 'read', path);
  }
}
