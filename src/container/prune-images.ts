import { chooseUnused } from '../image/choose-unused.ts';
import type { PruneCriteria } from '../image/choose-unused.ts';
import type { Engine } from '../image/engine.ts';
import type { RemovalEvent } from '../image/remove-image.ts';
import type { StoredImage } from '../image/stored-image.ts';
import type { Digest } from '../oci/digest.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import { listContainers } from './list-containers.ts';
import { reapContainers } from './reap-containers.ts';
import { sweepStore } from './sweep-store.ts';

export interface PruneImagesOptions {
  criteria: PruneCriteria;
  /** Only answer what would be removed. */
  dryRun?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** What a prune has removed, or would remove. */
export interface PruneReport {
  /** Images with their names, then layers. */
  removed: RemovalEvent[];
  /** Blobs, unpacked layers and partial downloads, in bytes. */
  reclaimedBytes: number;
}

/**
 * Removes images that no container and no pull uses, as far as they meet the criteria, and everything else in the store that
 * nothing needs, partial downloads included. What goes is decided while nobody can start to use anything.
 * @throws {ToolError} ERR_STORE_DAMAGED, with nothing removed, if it cannot be told what is needed; ERR_STORE, ERR_ABORTED
 */
export async function pruneImages(
  engine: Engine,
  { criteria, dryRun, signal }: PruneImagesOptions,
): Promise<PruneReport> {
  const { store, host } = engine;
  // A run that was killed is no use of its image if nobody wanted to see it again.
  if (dryRun !== true) await reapContainers({ paths: store.paths, ownership: host.ownership });
  let chosen: StoredImage[] = [];
  const garbage = await sweepStore(engine, {
    expire: async (stored) => {
      chosen = await chooseUnused(store, { stored, inUse: imagesInUse(engine), criteria, signal });
      return chosen.flatMap(({ records }) => records);
    },
    dryRun,
    signal,
  });
  return {
    removed: [
      ...chosen.flatMap(eventsOf),
      ...garbage.layers.map((digest): RemovalEvent => ({ kind: 'deleted', digest })),
    ],
    reclaimedBytes: garbage.bytes,
  };
}

/** Whether their containers run or not. */
export function imagesInUse({ store }: Engine): Set<Digest> {
  const containers = listContainers(store.paths.containers);
  return new Set(containers.map(({ record }) => record?.imageId).filter((imageId) => imageId !== undefined));
}

function eventsOf({ imageId, records }: StoredImage): RemovalEvent[] {
  const names = records.map(({ name }) => name).filter((name) => name !== undefined);
  return [
    ...names.map((name): RemovalEvent => ({ kind: 'untagged', reference: familiarReference(parseReference(name)) })),
    { kind: 'deleted', digest: imageId },
  ];
}
