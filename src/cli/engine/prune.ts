import { pruneContainers } from '../../container/prune-containers.ts';
import type { PrunedContainers } from '../../container/prune-containers.ts';
import { pruneImages } from '../../container/prune-images.ts';
import type { PruneReport } from '../../container/prune-images.ts';
import { openEngine } from '../../image/engine.ts';
import type { PruneContainersRequest, PruneImagesRequest } from '../engine-api.ts';

export async function images({ home, ...options }: PruneImagesRequest): Promise<PruneReport> {
  return pruneImages(await openEngine({ home }), options);
}

export async function containers({ home, ...options }: PruneContainersRequest): Promise<PrunedContainers> {
  return pruneContainers(await openEngine({ home }), options);
}
