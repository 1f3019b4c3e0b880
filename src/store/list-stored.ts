import fs from 'node:fs';

import { diskError, withDiskErrors } from '../fs/disk-error.ts';
import { createPacer } from '../fs/pacer.ts';
import { digestFromHex, type Digest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';

/** All blobs with their sizes in bytes. */
export async function listBlobSizes(blobs: BlobStore): Promise<Map<Digest, number>> {
  const sizes = new Map<Digest, number>();
  const pace = createPacer();
  for await (const digest of blobs.list()) {
    const size = sizeOf(blobs.path(digest));
    if (size !== undefined) sizes.set(digest, size);
    await pace();
  }
  return sizes;
}

/** Chain IDs of all unpacked layers. What has none for a name is no layer: a lock, or one that is being unpacked. */
export async function listLayers(folder: string): Promise<Digest[]> {
  const names = await withDiskErrors('read', folder, async () => fs.promises.readdir(folder));
  return names.map(digestFromHex).filter((digest) => digest !== undefined);
}

/** Undefined if it has gone. Synchronous: there may be 100,000 to look at. */
function sizeOf(path: string): number | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false })?.size;
  } catch (error) {
    throw diskError(error, 'read', path);
  }
}
