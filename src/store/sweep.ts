import fs from 'node:fs';
import { join } from 'node:path';

import { throwIfAborted } from '../fs/abort.ts';
import { diskError } from '../fs/disk-error.ts';
import { createPacer } from '../fs/pacer.ts';
import { digestHex, type Digest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';
import { LAYER_DONE, type StorePaths } from './layout.ts';
import { listLayers } from './list-layers.ts';
import type { RemoveFolder, TrashBin } from './trash.ts';

export interface SweepOptions {
  blobs: BlobStore;
  paths: StorePaths;
  /** Digests of blobs and chain IDs of layers. */
  keep: ReadonlySet<Digest>;
  bin: TrashBin;
  removeFolder: RemoveFolder;
  signal?: AbortSignal | undefined;
}

/** What was swept; `bytes` counts the blobs. */
export interface Swept {
  blobs: Digest[];
  layers: Digest[];
  bytes: number;
}

/** Moves everything into the bin that is not kept. Call with the garbage collection lock held exclusively. */
export async function sweep(options: SweepOptions): Promise<Swept> {
  const { keep, signal } = options;
  const swept: Swept = { blobs: [], layers: [], bytes: 0 };
  const pace = createPacer();
  for await (const digest of options.blobs.list()) {
    if (keep.has(digest)) continue;
    throwIfAborted(signal, 'collect garbage');
    swept.bytes += sweepBlob(options.blobs.path(digest), options.bin);
    swept.blobs.push(digest);
    await pace();
  }
  for (const chainId of listLayers(options.paths.layers)) {
    if (keep.has(chainId)) continue;
    throwIfAborted(signal, 'collect garbage');
    await sweepLayer(chainId, options);
    swept.layers.push(chainId);
  }
  return swept;
}

/** Answers its size. */
function sweepBlob(path: string, bin: TrashBin): number {
  try {
    const { size } = fs.lstatSync(path);
    if (!bin.take(path)) fs.unlinkSync(path);
    return size;
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
