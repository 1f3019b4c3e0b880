import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

import { diskError, isNoSpace, withDiskErrors } from '../fs/disk-error.ts';

/** Removes a folder or a file with all that is in it. */
export type RemoveFolder = (path: string) => Promise<void>;

/** A folder in `trash/` that things are renamed into: gone for everybody at once, deleted later. */
export interface TrashBin {
  /** Answers false, and does nothing, on a disk that is too full to rename. Synchronous: there may be 100,000 to take. */
  take(path: string): boolean;
}

/** Makes an empty bin. On a full disk it may be one that takes nothing. */
export function openTrashBin(trash: string): TrashBin {
  const folder = join(trash, randomBytes(8).toString('hex'));
  const made = unlessFull(trash, () => fs.mkdirSync(folder, { mode: 0o700 }));
  let taken = 0;
  return {
    take(path) {
      // Not by its own name: a layer that is not compressed has the digits of its blob.
      const place = join(folder, String(taken));
      taken += 1;
      return made && unlessFull(path, () => fs.renameSync(path, place));
    },
  };
}

/**
 * Deletes what is in `trash/`, also what commands left there that did not come to their end.
 * Goes on after a failure, and throws the first one at the end.
 */
export async function emptyTrash(trash: string, removeFolder: RemoveFolder): Promise<void> {
  const failures: unknown[] = [];
  for (const name of await withDiskErrors('read', trash, async () => fs.promises.readdir(trash))) {
    try {
      await removeFolder(join(trash, name));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw diskError(failures[0], 'remove', trash);
}

function unlessFull(path: string, work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (isNoSpace(error)) return false;
    throw diskError(error, 'remove', path);
  }
}
