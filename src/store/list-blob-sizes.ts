import fs from 'node:fs';

import { diskError } from '../fs/disk-error.ts';
import { createPacer } from '../fs/pacer.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';

/** All blobs that are `wanted`, with their sizes in bytes. */
export async function listBlobSizes(
  blobs: BlobStore,
  wanted: (digest: Digest) => boolean = () => true,
): Promise<Map<Digest, number>> {
  const sizes = new Map<Digest, number>();
  const pace = createPacer();
  for (const digest of blobs.list().filter(wanted)) {
    const size = sizeOf(blobs.path(digest));
    if (size !== undefined) sizes.set(digest, size);
    await pace();
  }
  return sizes;
}

/** Undefined if it has gone. Synchronous: there may be 100,000 to look at. */
function sizeOf(path: string): number | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false })?.size;
  } catch (error) {
    throw diskError(error, 'read', path);
  }
}
