import type { Engine } from '../image/engine.ts';
import { removeImage as removeFromStore } from '../image/remove-image.ts';
import type { RemovalEvent } from '../image/remove-image.ts';
import { collectGarbage } from '../store/collect-garbage.ts';
import { parseDigest } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { reapContainers } from './reap-containers.ts';
import { containerRoots, listContainers } from './list-containers.ts';

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
  const sweep = async (): Promise<Digest[]> => sweepStore(engine, options.signal);
  return removeFromStore(engine, nameOrId, { force: options.force, uses, sweep });
}

/** Frees what neither a name nor a container needs; answers with the chain IDs of the layers that are gone. */
export async function sweepStore(engine: Engine, signal?: AbortSignal): Promise<Digest[]> {
  const { layers } = await collectGarbage(engine.store, {
    roots: async () => {
      const { manifests, layers } = containerRoots(engine.store.paths.containers);
      return { manifests, layers: layers.map(chainIdOf) };
    },
    removeFolder: engine.removeFolder,
    keepPartialDownloads: true,
    signal,
  });
  return layers;
}

/** Folders of layers are named by the chain ID without its algorithm. */
function chainIdOf(hex: string): Digest {
  return parseDigest(`${hex.length === 128 ? 'sha512' : 'sha256'}:${hex}`);
}
