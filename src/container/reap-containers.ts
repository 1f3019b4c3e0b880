import { join } from 'node:path';
import { hasErrno } from '../fs/disk-error.ts';
import { tryFileLock } from '../fs/kernel-lock.ts';
import type { FileLock } from '../fs/kernel-lock.ts';
import type { Ownership } from '../linux/ownership.ts';
import { releaseAbandonedNames } from './container-name.ts';
import type { ContainerPaths } from './container-paths.ts';
import { deleteContainer } from './delete-container.ts';
import { listContainers } from './list-containers.ts';
import type { ContainerSummary } from './list-containers.ts';

/**
 * Deletes what killed runs have left of containers that were to be removed at their end, or that never started.
 * Never touches one that lives, and none that a person may still want to see.
 * @returns the IDs
 */
export async function reapContainers(request: { paths: ContainerPaths; ownership: Ownership }): Promise<string[]> {
  const { paths, ownership } = request;
  const reaped: string[] = [];
  for (const container of listContainers(paths.containers)) {
    const { id, record } = container;
    if (!isLeftOver(container)) continue;
    const lock = lockIfFree(join(paths.containers, id, 'lock'));
    if (lock === undefined) continue;
    try {
      await deleteContainer({ paths, id, name: record?.name, ownership });
      reaped.push(id);
    } finally {
      lock.release();
    }
  }
  await releaseAbandonedNames(paths.containers);
  return reaped;
}

// A folder may belong to a run that is about to take its lock. If it is deleted too early, that run fails with an error and
// nothing else: how long is too early is all that the clock decides here.
const ABANDONED = 60 * 60 * 1000; // ms

function isLeftOver({ status, record, since }: ContainerSummary): boolean {
  if (status === 'created') return Date.now() - since.getTime() > ABANDONED;
  return status !== 'running' && record?.autoRemove === true;
}

function lockIfFree(path: string): FileLock | undefined {
  try {
    return tryFileLock(path, 'exclusive', { create: false });
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
