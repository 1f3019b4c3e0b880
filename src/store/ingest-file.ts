import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

import { isToolError } from '../errors.ts';
import { pause } from '../fs/abort.ts';
import { breakAdvisoryLock, lockAdvisory, type AdvisoryLock } from '../fs/advisory-lock.ts';
import { hasErrno } from '../fs/disk-error.ts';
import { tryFileLock, type FileLock } from '../fs/kernel-lock.ts';
import { digestHex, type Digest } from '../oci/digest.ts';
import { removeIngestInfo } from './ingest-info.ts';

/** A file in `ingest/` that only this process writes to, until `close`. */
export interface IngestFile {
  path: string;
  fd: number;
  /** Closes the file and lets others go on. May be called more than once. */
  close(): Promise<void>;
}

export interface IngestRequest {
  /** `ingest/`. */
  folder: string;
  digest: Digest;
  /** Whether the blob is there by now. */
  isStored: () => Promise<boolean>;
  signal?: AbortSignal | undefined;
  /** Called once, when another process is at the same blob. */
  onWait?: (() => void) | undefined;
}

// A holder of the advisory lock whose file is free this often in a row, 50 ms apart, is dead.
const IDLE_LOOKS = 8;

/**
 * Opens the partial download of a blob, or begins one. Undefined when the blob turns up in the store.
 *
 * Two locks. The advisory one makes the others wait for one download. The kernel's lock on the file itself keeps two processes
 * from writing into one file, whatever the advisory one does; who has the first but not the second (its holder is stopped,
 * or the clock jumped) downloads into a file of its own, which costs a download and nothing else.
 */
export async function openIngestFile(request: IngestRequest): Promise<IngestFile | undefined> {
  const path = join(request.folder, digestHex(request.digest));
  const file = await lockIngestFile(path, request);
  try {
    if (file !== undefined && !(await request.isStored())) return file;
    if (file !== undefined) {
      removeIngestInfo(file.path);
      fs.unlinkSync(file.path);
    }
  } catch (error) {
    await file?.close();
    throw error;
  }
  await file?.close();
  return undefined;
}

/** Undefined when there is nothing to wait for any more, because the blob is stored. */
async function lockIngestFile(path: string, request: IngestRequest): Promise<IngestFile | undefined> {
  const { isStored, signal } = request;
  let { onWait } = request;
  for (;;) {
    let idle = 0;
    const giveUp = async (): Promise<boolean> => {
      idle = isFree(path) ? idle + 1 : 0;
      return idle >= IDLE_LOOKS || (await isStored());
    };
    const advisory = await lockAdvisory(path, { signal, onWait, giveUp });
    if (advisory !== undefined) return lockWithAdvisory(path, advisory, signal);
    if (await isStored()) return undefined;
    const own = lockIngest(path);
    // Of all who found the holder dead, the one that has the file may take over; the others go on waiting for it.
    if (own !== undefined) return ingestFile(path, own, await breakAdvisoryLock(path));
    onWait = undefined;
  }
}

async function lockWithAdvisory(
  path: string,
  advisory: AdvisoryLock,
  signal: AbortSignal | undefined,
): Promise<IngestFile> {
  try {
    const own = await lockPartial(path, signal);
    return own === undefined ? openPrivateFile(path, advisory) : ingestFile(path, own, advisory);
  } catch (error) {
    await advisory.release();
    throw error;
  }
}

/** Begins a file that nobody waits for and nobody resumes: for content that is at hand. */
export function openSmallIngestFile(folder: string, digest: Digest): IngestFile {
  return openPrivateFile(join(folder, digestHex(digest)), undefined);
}

/** A few tries: others look whether the file is free by locking it for a moment. */
async function lockPartial(path: string, signal: AbortSignal | undefined): Promise<FileLock | undefined> {
  for (let tries = 0; ; tries += 1) {
    const lock = lockIngest(path);
    if (lock !== undefined || tries === 10) return lock;
    await pause(5, signal, `lock "${path}"`);
  }
}

/**
 * Locks a file in `ingest/` without waiting. A crash between making it read-only and renaming it leaves one that an ordinary user
 * cannot open for writing. Undefined if somebody is at it. With `create: false` a missing file throws ENOENT.
 */
export function lockIngest(path: string, options: { create?: boolean } = {}): FileLock | undefined {
  try {
    return tryFileLock(path, 'exclusive', options);
  } catch (error) {
    if (!isToolError(error) || !hasErrno(error.cause, 'EACCES')) throw error;
  }
  return makeWritable(path) ? tryFileLock(path, 'exclusive', options) : undefined;
}

/** Not before it is known to be nobody's: one that is being committed is about to become a blob, which nobody may write to. */
function makeWritable(path: string): boolean {
  try {
    const idle = tryFileLock(path, 'shared', { create: false });
    if (idle === undefined) return false;
    fs.fchmodSync(idle.fd, 0o600);
    idle.release();
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false; // it has become a blob
    throw error;
  }
}

function openPrivateFile(path: string, advisory: AdvisoryLock | undefined): IngestFile {
  for (;;) {
    const own = `${path}.${randomBytes(8).toString('hex')}`;
    const lock = tryFileLock(own, 'exclusive');
    // Undefined if garbage collection looks at it this very moment.
    if (lock !== undefined) return ingestFile(own, lock, advisory);
  }
}

function ingestFile(path: string, lock: FileLock, advisory: AdvisoryLock | undefined): IngestFile {
  return {
    path,
    fd: lock.fd,
    async close() {
      lock.release();
      await advisory?.release();
    },
  };
}

/** Whether no process is writing to a file in `ingest/`, which may have gone. */
export function isFree(path: string): boolean {
  try {
    const lock = tryFileLock(path, 'shared', { create: false });
    lock?.release();
    return lock !== undefined;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return true;
    throw error;
  }
}
