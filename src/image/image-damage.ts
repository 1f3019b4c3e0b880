import { lstatSync } from 'node:fs';
import { shortDigest } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { keptAccountFiles } from '../snapshot/account-files.ts';
import { inspectLayer } from '../snapshot/inspect-layer.ts';
import type { Store } from '../store/open-store.ts';
import { layerFoldersOf } from './local-image.ts';
import type { LocalImage } from './local-image.ts';

/**
 * What keeps an image from being run, as a clause; undefined if nothing is missing and all sizes are right. Contents are not read,
 * but for each layer's `done`. Synchronous and without libc, as it is on the way of every start: half a millisecond for ten layers.
 */
export function imageDamage(store: Store, image: LocalImage): string | undefined {
  const { manifest, config } = image;
  for (const { digest, size } of manifest.layers) {
    const problem = sizeProblem(store.blobs.path(digest), size);
    if (problem !== undefined) return `the blob of its layer ${shortDigest(digest)}: ${problem}`;
  }
  const folders = layerFoldersOf(store, image);
  for (const [index, folder] of folders.entries()) {
    const problem = layerDamage(folder, config.diffIds[index]);
    if (problem !== undefined)
      return `its unpacked layer ${shortDigest(image.chain[index] ?? image.imageId)}: ${problem}`;
  }
  for (const path of keptAccountFiles(folders)) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return `"${path}" is not there`;
  }
  return undefined;
}

/** What is wrong with the layer in `folder`, which has to come of the archive `diffId`. */
export function layerDamage(folder: string, diffId: Digest | undefined): string | undefined {
  const { info, problem } = inspectLayer(folder);
  if (problem !== undefined) return problem;
  return info.diffId === diffId ? undefined : `it was unpacked from ${info.diffId}, and the image wants ${diffId}`;
}

/** What is wrong with a blob, as far as its size tells. */
export function sizeProblem(path: string, size: number): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'it is not in the store';
  if (!stats.isFile()) return 'it is not a file';
  return stats.size === size ? undefined : `its file has ${stats.size} bytes, ${size} were wanted`;
}
