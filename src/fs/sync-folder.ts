import { constants } from 'node:fs';
import fs from 'node:fs/promises';

import { hasErrno, withDiskErrors } from './disk-error.ts';

/**
 * Makes what was created, renamed or deleted in a folder survive a power failure. Throws ERR_NO_SPACE, ERR_STORE.
 * Does nothing on the few file systems that cannot (some FUSE and network ones answer EINVAL or ENOTSUP for a folder).
 */
export async function syncFolder(path: string): Promise<void> {
  await withDiskErrors('write', path, async () => {
    const folder = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } catch (error) {
      if (!hasErrno(error, 'EINVAL', 'ENOTSUP')) throw error;
    } finally {
      await folder.close();
    }
  });
}
