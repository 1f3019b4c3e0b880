import { fstatSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../fs/kernel-lock.ts';
import type { FileLock } from '../fs/kernel-lock.ts';
import { digestHex } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';

/**
 * Lets one process at a time unpack the layer `chainId`; the others wait and then find it there.
 * Only saves work: two that unpacked the same layer would do no harm, the second one drops its own.
 */
export async function lockLayer(layers: string, chainId: Digest, signal: AbortSignal): Promise<FileLock> {
  const path = join(layers, `.lock-${digestHex(chainId)}`);
  for (;;) {
    const lock = await lockFile(path, 'exclusive', { signal });
    // Whoever held it before has deleted the file: then this lock is on a file that nobody else will find.
    if (isSameFile(lock.fd, path)) return { fd: lock.fd, release: () => releaseAndDelete(lock, path) };
    lock.release();
  }
}

function isSameFile(fd: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const held = fstatSync(fd);
  return there !== undefined && there.ino === held.ino && there.dev === held.dev;
}

function releaseAndDelete(lock: FileLock, path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Garbage collection removes it as soon as it is not locked.
  } finally {
    lock.release();
  }
}
