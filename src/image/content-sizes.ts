import type { Digest } from '../oci/digest.ts';
import { readLayerInfo } from '../snapshot/inspect-layer.ts';
import { layerFolder } from '../snapshot/layers.ts';
import { listBlobSizes } from '../store/list-blob-sizes.ts';
import { listLayers } from '../store/list-layers.ts';
import type { Store } from '../store/open-store.ts';

/**
 * What each blob and each unpacked layer (by its chain ID) takes, in bytes. One digest may be both, where a layer is not
 * compressed: then it has the sum. Of layers their recorded size counts, that of the archive: nobody walks through their trees.
 */
export async function contentSizes(store: Store): Promise<Map<Digest, number>> {
  const sizes = await listBlobSizes(store.blobs);
  for (const chainId of listLayers(store.paths.layers)) {
    sizes.set(chainId, (sizes.get(chainId) ?? 0) + layerSize(store, chainId));
  }
  return sizes;
}

/** 0 for a layer that does not say. */
export function layerSize({ paths }: Store, chainId: Digest): number {
  return readLayerInfo(layerFolder(paths.layers, chainId))?.size ?? 0;
}
