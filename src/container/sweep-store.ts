import { layerSize } from '../image/content-sizes.ts';
import type { Engine } from '../image/engine.ts';
import { collectGarbage } from '../store/collect-garbage.ts';
import type { Garbage, GarbageOptions } from '../store/collect-garbage.ts';
import { garbageRoots } from './garbage-roots.ts';

export type SweepOptions = Pick<
  GarbageOptions,
  'expire' | 'keepPartialDownloads' | 'keepLayerFiles' | 'dryRun' | 'signal'
>;

/** Frees what neither a name nor a container needs. Throws what `collectGarbage` throws. */
export async function sweepStore({ store, removeFolder }: Engine, options: SweepOptions): Promise<Garbage> {
  return collectGarbage(store, {
    ...options,
    // oxlint-disable-next-line typescript/require-await -- what cannot be read has to be a rejection
    roots: async () => garbageRoots(store.paths.containers),
    sizeOfLayer: async (chainId) => layerSize(store, chainId),
    removeFolder,
  });
}
