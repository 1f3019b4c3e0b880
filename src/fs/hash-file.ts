import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import fs from 'node:fs/promises';

import { throwIfAborted } from './abort.ts';

const CHUNK = 1024 * 1024; // bytes

/**
 * The digest of a file's content in hexadecimal, and how many bytes it has. Never more than a mebibyte of it is in memory.
 * Throws the system's errors, and ERR_ABORTED. A symlink is not followed.
 */
export async function hashFile(
  path: string,
  algorithm: 'sha256' | 'sha512',
  signal?: AbortSignal,
): Promise<{ hex: string; size: number }> {
  const hash = createHash(algorithm);
  const file = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    let size = 0;
    for (;;) {
      throwIfAborted(signal, `read "${path}"`);
      const { bytesRead } = await file.read(buffer, 0, CHUNK, size);
      if (bytesRead === 0) return { hex: hash.digest('hex'), size };
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  } finally {
    await file.close();
  }
}
