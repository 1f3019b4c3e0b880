import fs from 'node:fs';

import { ToolError } from '../errors.ts';
import { LOCK_EX, LOCK_NB, LOCK_SH, loadLibc, type Libc } from '../linux/libc.ts';
import { printable } from '../printable.ts';
import { pause, throwIfAborted } from './abort.ts';
import { diskError, hasErrno } from './disk-error.ts';

export type LockKind = 'shared' | 'exclusive';

/** A lock that the kernel keeps: it ends with `release` or with the process, however that ends. */
export interface FileLock {
  /** The locked file, close-on-exec, open for reading and writing (a shared lock on a read-only file: for reading). */
  readonly fd: number;
  /** May be called more than once. A process that was given `fd` keeps the lock. */
  release(): void;
}

export interface LockRequest {
  path: string;
  kind: LockKind;
  signal?: AbortSignal | undefined;
  /** False: throw ERR_CONFLICT at once when somebody else has it. */
  wait?: boolean | undefined;
}

const FIRST_PAUSE = 2; // ms
const LONGEST_PAUSE = 40; // ms
const MAX_TRIES = 1000; // a file system that numbers its files anew at every look must not hang the program

/** Runs `work` while holding the lock. Throws ERR_ABORTED, ERR_CONFLICT without `wait`, ERR_STORE where files cannot be locked. */
export async function withFileLock<T>(request: LockRequest, work: () => Promise<T>): Promise<T> {
  const lock = await takeLock(request);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/**
 * Takes flock(2) on `path`, which is made if it is not there. Waits by asking again, so the event loop is never blocked.
 *
 * The file may be deleted by whoever holds it exclusively: what this answers with is a lock on the file that has the name now.
 */
export async function lockFile(
  path: string,
  kind: LockKind,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<FileLock> {
  const task = `lock "${printable(path, Infinity)}"`;
  for (let wait = FIRST_PAUSE; ; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
    throwIfAborted(options.signal, task);
    const lock = tryFileLock(path, kind);
    if (lock !== undefined) return lock;
    // Not in step: many waiters that ask at the same moment would keep a shared and an exclusive side from ever meeting.
    await pause(wait * (0.5 + Math.random()), options.signal, task);
  }
}

/**
 * The same without waiting: undefined when somebody else has it.
 * With `create: false` a missing file throws ENOENT, as Node does.
 */
export function tryFileLock(path: string, kind: LockKind, options: { create?: boolean } = {}): FileLock | undefined {
  const libc = loadLibc();
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const fd = openLockFile(path, kind, options.create ?? true);
    try {
      if (!flock(libc, fd, { path, kind })) {
        fs.closeSync(fd);
        return undefined;
      }
      if (isNamed(fd, path)) return heldLock(fd);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    fs.closeSync(fd); // its holder deleted it between the two calls
  }
  throw cannotLock('ERR_STORE', path, 'it is another file each time');
}

async function takeLock({ path, kind, signal, wait = true }: LockRequest): Promise<FileLock> {
  if (wait) return lockFile(path, kind, { signal });
  const lock = tryFileLock(path, kind);
  if (lock === undefined) throw cannotLock('ERR_CONFLICT', path, 'another process is using it');
  return lock;
}

function openLockFile(path: string, kind: LockKind, create: boolean): number {
  const { O_RDWR, O_RDONLY, O_CREAT, O_NOFOLLOW } = fs.constants;
  try {
    return fs.openSync(path, O_RDWR | O_NOFOLLOW | (create ? O_CREAT : 0), 0o600);
  } catch (error) {
    if (hasErrno(error, 'ENOENT') && !create) throw error;
    if (kind === 'exclusive' || !hasErrno(error, 'EROFS', 'EACCES')) throw diskError(error, 'lock', path);
  }
  // Readers of a store that they cannot write.
  try {
    return fs.openSync(path, O_RDONLY | O_NOFOLLOW);
  } catch (error) {
    throw diskError(error, 'lock', path);
  }
}

function flock(libc: Libc, fd: number, { path, kind }: { path: string; kind: LockKind }): boolean {
  try {
    libc.flock(fd, (kind === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB, path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EAGAIN', 'EWOULDBLOCK')) return false;
    if (!hasErrno(error, 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'ENOLCK')) throw diskError(error, 'lock', path);
    throw new ToolError('ERR_STORE', `Cannot lock "${printable(path, Infinity)}": its file system has no file locks`, {
      hint: 'Use a folder on a local file system with --home or MYDOCKER_HOME.',
      cause: error,
    });
  }
}

function isNamed(fd: number, path: string): boolean {
  const held = fs.fstatSync(fd, { bigint: true });
  const named = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return named !== undefined && named.ino === held.ino && named.dev === held.dev;
}

function heldLock(fd: number): FileLock {
  let held = true;
  return {
    fd,
    release() {
      if (held) fs.closeSync(fd);
      held = false; // the number may be another file's by then
    },
  };
}

function cannotLock(code: 'ERR_STORE' | 'ERR_CONFLICT', path: string, problem: string): ToolError {
  return new ToolError(code, `Cannot lock "${printable(path, Infinity)}": ${problem}`);
}
