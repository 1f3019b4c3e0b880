import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { withDiskErrors } from './disk-error.ts';
import { syncFolder } from './sync-folder.ts';
import { writeAll } from './write-all.ts';

const TEMPORARY_NAME = /^\..+\.[0-9a-f]{16}\.tmp$/;

/**
 * Replaces the file at `path`: whoever reads sees the old content or the new, and so does the next start after a crash.
 * Answers when the new content is on the disk. A crash may leave a file beside it for which `isTemporaryName` holds.
 * `mode` is set whatever the umask is.
 *
 * Throws ERR_NO_SPACE when the disk is full, ERR_STORE for what else the file system answers; the old file stays then
 * (or, if only the last step failed, the new one is there but a power failure may undo it).
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await withDiskErrors('write', path, async () => {
    const folder = dirname(path);
    const temporary = join(folder, `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
    try {
      await writeNewFile(temporary, bytes, mode);
      await fs.rename(temporary, path);
    } catch (error) {
      await fs.rm(temporary, { force: true }).catch(() => undefined); // the first error is the one that tells
      throw error;
    }
    await syncFolder(folder);
  });
}

/** Whether a file of this name can only be what a crash left of a `writeFileAtomic`, or one in progress. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

async function writeNewFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await fs.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await writeAll(file.fd, bytes, 0);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}
