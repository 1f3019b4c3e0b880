import { throwIfAborted } from '../../fs/abort.ts';
import type { Digest } from '../../oci/digest.ts';
import { MAX_DOCUMENT_BYTES } from '../../oci/json.ts';
import { hostPlatform } from '../../oci/platform.ts';
import { statLayer } from '../../snapshot/layers.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import type { Store } from '../../store/open-store.ts';
import { readIntactImage } from '../local-image.ts';
import type { LocalImage } from '../local-image.ts';

/** All images whose manifest and config are intact in the store, whether anything leads to them or not; without names. */
export async function findStoredImages(
  store: Store,
  blobs: readonly Digest[],
  signal?: AbortSignal,
): Promise<ImageRecord[]> {
  const found: ImageRecord[] = [];
  for (const digest of blobs) {
    throwIfAborted(signal, 'look for images');
    const size = (await store.blobs.stat(digest))?.size ?? Infinity;
    const image = size <= MAX_DOCUMENT_BYTES ? await readIntactImage(store, digest) : undefined;
    if (image !== undefined) found.push(recordOf(store, image, size));
  }
  return found;
}

function recordOf(
  { paths }: Store,
  { manifestDigest, manifest, imageId, config, chain }: LocalImage,
  size: number,
): ImageRecord {
  const { os, architecture, variant, created } = config;
  let sizeBytes = 0;
  for (const chainId of chain) sizeBytes += statLayer(paths.layers, chainId)?.size ?? 0;
  return {
    name: undefined,
    target: { mediaType: manifest.mediaType, digest: manifestDigest, size },
    manifest: manifestDigest,
    imageId,
    platform: architecture === '' ? hostPlatform(process.arch) : { os, architecture, variant },
    created,
    sizeBytes,
  };
}
