import { join } from 'node:path';
import { ToolError } from '../errors.ts';
import { pause } from '../fs/abort.ts';
import { hasErrno } from '../fs/disk-error.ts';
import { tryFileLock } from '../fs/kernel-lock.ts';
import type { FileLock } from '../fs/kernel-lock.ts';
import type { Ownership } from '../linux/ownership.ts';
import { SIGNAL } from '../linux/process-flags.ts';
import { printable } from '../printable.ts';
import type { ContainerPaths } from './container-paths.ts';
import { readIntactRecord } from './container-record.ts';
import { deleteContainer } from './delete-container.ts';
import { findContainer } from './find-container.ts';
import { signalContainer } from './signal-container.ts';

export interface RemoveContainerRequest {
  paths: ContainerPaths;
  /** Name, ID or the first characters of the ID. */
  container: string;
  /** Kill it if it runs. */
  force: boolean;
  ownership: Ownership;
  signal?: AbortSignal | undefined;
}

/**
 * Removes a container. One that runs is an error, or with `force` is killed before.
 * @returns its ID
 * @throws {ToolError} ERR_NO_SUCH_CONTAINER, ERR_CONFLICT if it runs, ERR_USAGE for an ambiguous ID, ERR_ABORTED
 */
export async function removeContainer(request: RemoveContainerRequest): Promise<string> {
  const { paths, container, ownership } = request;
  const id = findContainer(paths.containers, container);
  const lock = await takeLock(request, id);
  try {
    const record = readIntactRecord(paths.containers, id); // a damaged one's name is free as soon as its folder has gone
    await deleteContainer({ paths, id, name: record?.name, controlGroups: record?.controlGroups, ownership });
  } finally {
    lock?.release();
  }
  return id;
}

/** Undefined if the container has gone meanwhile. */
async function takeLock(request: RemoveContainerRequest, id: string): Promise<FileLock | undefined> {
  const { paths, container, force, signal } = request;
  const task = `remove container "${printable(container)}"`;
  for (let wait = FIRST_PAUSE; ; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
    const lock = tryLock(join(paths.containers, id, 'lock'));
    if (lock === 'gone') return undefined;
    if (lock !== 'taken') return lock;
    if (!force) throw stillRunning(container);
    signalContainer(paths.containers, id, SIGNAL.KILL); // again each time: its process may have been recorded only now
    await pause(wait, signal, task);
  }
}

const FIRST_PAUSE = 2; // ms
const LONGEST_PAUSE = 40; // ms

function tryLock(path: string): FileLock | 'taken' | 'gone' {
  try {
    return tryFileLock(path, 'exclusive', { create: false }) ?? 'taken';
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 'gone';
    throw error;
  }
}

function stillRunning(container: string): ToolError {
  return new ToolError(
    'ERR_CONFLICT',
    `cannot remove container "${printable(container)}": container is running: ` +
      'stop the container before removing or force remove',
    { hint: 'Use --force to kill and remove it.' },
  );
}
