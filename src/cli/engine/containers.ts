import { listContainers } from '../../container/list-containers.ts';
import type { ContainerSummary } from '../../container/list-containers.ts';
import { reapContainers } from '../../container/reap-containers.ts';
import { removeContainer } from '../../container/remove-container.ts';
import { killContainer, stopContainer } from '../../container/stop-container.ts';
import { openEngine } from '../../image/engine.ts';
import type { KillRequest, RemoveRequest, StopRequest, StoreRequest } from '../engine-api.ts';

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

export async function stop(nameOrId: string, { home, ...request }: StopRequest): Promise<void> {
  const { store } = await openEngine({ home });
  await stopContainer({ ...request, containers: store.paths.containers, container: nameOrId });
}

export async function kill(nameOrId: string, { home, ...request }: KillRequest): Promise<void> {
  const { store } = await openEngine({ home });
  await killContainer({ ...request, containers: store.paths.containers, container: nameOrId });
}
