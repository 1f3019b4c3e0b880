import fs from 'node:fs';

import { diskError, hasErrno } from '../fs/disk-error.ts';
import { hashFile } from '../fs/hash-file.ts';
import { digestAlgorithm, type Digest } from '../oci/digest.ts';

/** What is wrong with the file of a blob. `problem` is a clause. */
export interface BlobProblem {
  state: 'missing' | 'damaged';
  problem: string;
}

const MISSING: BlobProblem = { state: 'missing', problem: 'it is not in the store' };

/**
 * Reads a blob to its end and compares it with its digest: undefined if it is intact.
 * Throws ERR_ABORTED; ERR_STORE for a file that may not be read.
 */
export async function blobProblem(
  path: string,
  digest: Digest,
  signal?: AbortSignal,
): Promise<BlobProblem | undefined> {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return MISSING;
  if (!stats.isFile()) return { state: 'damaged', problem: 'it is not a file' };
  const algorithm = digestAlgorithm(digest);
  try {
    const { hex } = await hashFile(path, algorithm, signal);
    const actual = `${algorithm}:${hex}`;
    return actual === digest ? undefined : { state: 'damaged', problem: `its digest is ${actual}` };
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return MISSING;
    // A bad sector, or what a file system with checksums says of one.
    if (hasErrno(error, 'EIO', 'EBADMSG')) return { state: 'damaged', problem: 'the disk cannot read it' };
    throw diskError(error, 'read', path);
  }
}
