import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { NO_EXECUTABLE_PLACE, obstacleText } from './obstacles.ts';
import { temporaryPrefix } from './process-mark.ts';
import { RUNNER_ARM64 } from './runner-arm64.ts';
import { RUNNER_X64 } from './runner-x64.ts';
import type { Machine } from './syscalls.ts';

const RUNNERS: Record<Machine, { version: string; base64: string }> = {
  x64: RUNNER_X64,
  arm64: RUNNER_ARM64,
};

const EXECUTABLE = { flag: 'wx', mode: 0o500 } as const; // a new file; a symbolic link is not followed

/** An executable file; `release` when it has been executed. */
export interface RunnerFile {
  path: string;
  release(): void;
}

/**
 * The runner as a file in `folder`, which belongs to the caller alone, compared with what it should be and written when it differs.
 * Where the folder cannot be written to or is mounted noexec, a file for this one use among other users' temporary files.
 * Throws ToolError ERR_HOST when no place can hold an executable file.
 */
export function runnerFile(folder: string, machine: Machine): RunnerFile {
  const { version } = RUNNERS[machine];
  const bytes = runnerBytes(machine);
  const uid = process.geteuid?.() ?? 0;
  const places = [
    () => keptFile(join(folder, `runner-${machine}-${version}`), bytes, uid),
    ...[`/run/user/${uid}`, '/dev/shm', '/tmp', '/var/tmp'].map((place) => () => temporaryFile(place, bytes)),
  ];
  const reasons: string[] = [];
  for (const place of places) {
    try {
      return place();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      reasons.push(error.message);
    }
  }
  throw new ToolError('ERR_HOST', `Cannot start programs from "${printable(folder)}": ${reasons.join('; ')}`, {
    hint: obstacleText(NO_EXECUTABLE_PLACE),
  });
}

/** What the file holds. */
export function runnerBytes(machine: Machine): Buffer {
  return Buffer.from(RUNNERS[machine].base64, 'base64');
}

function keptFile(path: string, bytes: Buffer, uid: number): RunnerFile {
  if (!isIntact(path, bytes, uid)) {
    makeFolder(dirname(path));
    const staging = mkdtempSync(join(dirname(path), temporaryPrefix()));
    try {
      writeFileSync(join(staging, 'runner'), bytes, EXECUTABLE);
      renameSync(join(staging, 'runner'), path);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  }
  accessSync(path, constants.X_OK); // EACCES on a noexec mount
  return { path, release: () => undefined };
}

/** Not `recursive`, with which Node 20 never returns where a file system refuses with ENOENT, as /proc does. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EEXIST') throw error;
  }
}

function temporaryFile(place: string, bytes: Buffer): RunnerFile {
  const folder = mkdtempSync(join(place, 'mydocker-'));
  const release = (): void => rmSync(folder, { recursive: true, force: true });
  const path = join(folder, 'runner');
  try {
    writeFileSync(path, bytes, EXECUTABLE);
    accessSync(path, constants.X_OK);
  } catch (error) {
    release();
    throw error;
  }
  return { path, release };
}

/** Whether `path` is a file of this user that nobody may write to, with exactly these bytes. */
function isIntact(path: string, bytes: Buffer, uid: number): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ELOOP')) return false;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.uid !== uid || (stat.mode & 0o7777) !== 0o500 || stat.size !== bytes.length)
      return false;
    const found = Buffer.alloc(bytes.length);
    return readSync(fd, found) === found.length && found.equals(bytes);
  } finally {
    closeSync(fd);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
