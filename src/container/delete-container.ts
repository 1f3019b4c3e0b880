import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../fs/disk-error.ts';
import { removeOwnedTree } from '../fs/remove-owned-tree.ts';
import type { Ownership } from '../linux/ownership.ts';
import { releaseName } from './container-name.ts';
import type { ContainerPaths } from './container-paths.ts';
import { removeGroups } from './limits/create-group.ts';

export interface DeleteRequest {
  paths: ContainerPaths;
  id: string;
  /** Undefined if it has none, or it is not known. */
  name?: string | undefined;
  /** Folders that a supervisor which was killed has left. */
  controlGroups?: readonly string[] | undefined;
  ownership: Ownership;
}

/**
 * Deletes a container that does not run, with everything it has written. One that is not there is fine.
 * It disappears in one step; what a crash leaves in the trash, the next garbage collection deletes.
 * @throws {ToolError} ERR_STORE
 */
export async function deleteContainer({
  paths,
  id,
  name,
  controlGroups = [],
  ownership,
}: DeleteRequest): Promise<void> {
  if (name !== undefined) releaseName(paths.containers, id, name);
  await removeGroups(controlGroups);
  const trash = join(paths.trash, `container-${id.slice(0, 12)}-${randomBytes(4).toString('hex')}`);
  try {
    renameSync(join(paths.containers, id), trash);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    throw error;
  }
  await removeOwnedTree(trash, { ownership, runnerFolder: paths.runner });
}
