import type { Engine } from '../image/engine.ts';
import { removeImage as removeFromStore } from '../image/remove-image.ts';
import type { RemovalEvent } from '../image/remove-image.ts';
import type { Digest } from '../oci/digest.ts';
import { listContainers } from './list-containers.ts';
import { reapContainers } from './reap-containers.ts';
import { sweepStore } from './sweep-store.ts';

export interface RemoveImageOptions {
  force?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** `removeImage`, with what the store's containers have to say about it. */
export async function removeImage(
  engine: Engine,
  nameOrId: string,
  options: RemoveImageOptions = {},
): Promise<RemovalEvent[]> {
  const { containers } = engine.store.paths;
  // A run that was killed is no use of the image if nobody wanted to see it again.
  await reapContainers({ paths: engine.store.paths, ownership: engine.host.ownership });
  const uses = listContainers(containers).flatMap(({ id, status, record }) =>
    record === undefined ? [] : [{ containerId: id, running: status === 'running', imageId: record.imageId }],
  );
  const sweep = async (): Promise<Digest[]> => {
    // The rest is left to `prune`: removing one image of many is to be quick.
    const kept = { keepPartialDownloads: true, keepLayerFiles: true };
    const { layers } = await sweepStore(engine, { ...kept, signal: options.signal });
    return layers;
  };
  return removeFromStore(engine, nameOrId, { force: options.force, uses, sweep });
}
