import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, withDiskErrors } from '../fs/disk-error.ts';
import { tryFileLock } from '../fs/kernel-lock.ts';
import type { FileLock } from '../fs/kernel-lock.ts';
import type { Ownership } from '../linux/ownership.ts';
import { releaseAbandonedNames } from './container-name.ts';
import type { ContainerPaths } from './container-paths.ts';
import { listIds, makerHasEnded, readIntactRecord } from './container-record.ts';
import { deleteContainer } from './delete-container.ts';
import { STARTED } from './steps/content-guard.ts';

export interface ReapRequest {
  paths: ContainerPaths;
  ownership: Ownership;
}

/**
 * Deletes what killed runs have left of containers that were to be removed at their end, or that never started.
 * Never touches one that lives, and none that a person may still want to see.
 * @returns the IDs
 */
export async function reapContainers(request: ReapRequest): Promise<string[]> {
  const { containers } = request.paths;
  return withDiskErrors('remove what is left over from', containers, async () => {
    const reaped: string[] = [];
    for (const id of listIds(containers)) if (await reapContainer(request, id)) reaped.push(id);
    await releaseAbandonedNames(containers);
    return reaped;
  });
}

/** The same for one container; answers whether it was left over, and is gone. */
export async function reapContainer({ paths, ownership }: ReapRequest, id: string): Promise<boolean> {
  const { containers } = paths;
  const record = readIntactRecord(containers, id);
  const hasStarted = existsSync(join(containers, id, STARTED));
  if (hasStarted ? record?.autoRemove !== true : !isAbandoned(containers, id)) return false;
  const lock = lockIfFree(join(containers, id, 'lock'));
  if (lock === undefined) return false; // it lives, or somebody else is removing it
  try {
    await deleteContainer({ paths, id, name: record?.name, controlGroups: record?.controlGroups, ownership });
    return true;
  } finally {
    lock.release();
  }
}

// Before its start, a container is known to be left over when the process that made it has ended. Where nobody can tell, it is
// after a while: deleted too early, that run fails with an error and nothing else, and that is all that the clock decides here.
const ABANDONED = 60 * 60 * 1000; // ms

function isAbandoned(containers: string, id: string): boolean {
  if (makerHasEnded(containers, id)) return true;
  const made = statSync(join(containers, id), { throwIfNoEntry: false })?.mtimeMs;
  return made !== undefined && Date.now() - made > ABANDONED;
}

function lockIfFree(path: string): FileLock | undefined {
  try {
    return tryFileLock(path, 'exclusive', { create: false });
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
