import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';

import { hasErrno, isNoSpace } from '../fs/disk-error.ts';
import { syncFolder } from '../fs/sync-folder.ts';
import { writeFileAtomic } from '../fs/write-file-atomic.ts';
import type { InternalPaths } from './layout.ts';

const BLOCK = 64 * 1024; // bytes

/**
 * A file that only takes space. Removing a name means writing a new `index.json` before the old one goes, which a full disk
 * does not allow; so on a full disk this file goes first.
 */
export async function withSpaceReserve<T>(paths: InternalPaths, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isNoSpace(error) || !(await spendReserve(paths))) throw error;
    return work();
  }
}

/** Makes the reserve large enough for an index of `size` bytes. Best effort: without it, a full disk is only harder to clean. */
export async function keepReserve({ spaceReserve }: InternalPaths, size: number): Promise<void> {
  const wanted = Math.ceil((2 * size) / BLOCK + 1) * BLOCK;
  const stats = await fs.stat(spaceReserve).catch(() => undefined);
  if (stats !== undefined && stats.size >= wanted) return;
  // Random: a file system that compresses, or leaves out zeros, would reserve nothing.
  await writeFileAtomic(spaceReserve, randomBytes(wanted), 0o600).catch(() => undefined);
}

async function spendReserve({ spaceReserve, root }: InternalPaths): Promise<boolean> {
  try {
    await fs.unlink(spaceReserve);
    await syncFolder(root); // journaling file systems hand freed blocks out again only after this
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
