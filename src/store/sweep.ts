import fs from 'node:fs';
import { join } from 'node:path';

import { throwIfAborted } from '../fs/abort.ts';
import { diskError } from '../fs/disk-error.ts';
import { createPacer } from '../fs/pacer.ts';
import { digestHex, type Digest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';
import { LAYER_DONE, type StorePaths } from './layout.ts';
import type { RemoveFolder, TrashBin } from './trash.ts';

export interface SweepOptions {
  blobs: BlobStore;
  paths: StorePaths;
  bin: TrashBin;
  removeFolder: RemoveFolder;
  signal?: AbortSignal | undefined;
}

/** What is to be swept. */
export interface Sweepings {
  blobs: readonly Digest[];
  /** Chain IDs. */
  layers: readonly Digest[];
}

/** Moves blobs and layers into the bin. Call with the garbage collection lock held exclusively. */
export async function sweep({ blobs, layers }: Sweepings, options: SweepOptions): Promise<void> {
  const { signal } = options;
  const pace = createPacer();
  for (const digest of blobs) {
    throwIfAborted(signal, 'collect garbage');
    sweepBlob(options.blobs.path(digest), options.bin);
    await pace();
  }
  for (const chainId of layers) {
    throwIfAborted(signal, 'collect garbage');
    await sweepLayer(chainId, options);
  }
}

function sweepBlob(path: string, bin: TrashBin): void {
  try {
    if (!bin.take(path)) fs.unlinkSync(path);
  } catch (error) {
    throw diskError(error, 'remove', path);
  }
}

async function sweepLayer(chainId: Digest, { paths, bin, removeFolder }: SweepOptions): Promise<void> {
  const path = join(paths.layers, digestHex(chainId));
  if (bin.take(path)) return;
  // In place then: first it stops being a layer, so that a crash leaves none that is incomplete. Under the lock, because the
  // next pull may put a new one at the same path.
  fs.rmSync(join(path, LAYER_DONE), { force: true });
  await removeFolder(path);
}
