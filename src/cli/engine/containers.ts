import { listContainers } from '../../container/list-containers.ts';
import type { ContainerSummary } from '../../container/list-containers.ts';
import { reapContainers } from '../../container/reap-containers.ts';
import { removeContainer } from '../../container/remove-container.ts';
import { openEngine } from '../../image/engine.ts';
import type { RemoveRequest, StoreRequest } from '../engine-api.ts';

/** All containers, without what killed runs have left of those that were to be removed at their end. */
export async function containers({ home }: StoreRequest): Promise<ContainerSummary[]> {
  const { store, host } = await openEngine({ home });
  await reapContainers({ paths: store.paths, ownership: host.ownership });
  return listContainers(store.paths.containers);
}

export async function remove(nameOrId: string, { home, force, signal }: RemoveRequest): Promise<void> {
  const { store, host } = await openEngine({ home });
  await removeContainer({ paths: store.paths, container: nameOrId, force, ownership: host.ownership, signal });
}
