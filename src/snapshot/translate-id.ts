import type { IdRange } from '../linux/ownership.ts';

/** For users and groups: what is `inside` becomes what is `outside`. */
export interface OwnerMap {
  uids: readonly IdRange[];
  gids: readonly IdRange[];
}

/** The id itself without a map. Throws for one that the map does not have: a file must not silently become somebody else's. */
export function translateId(id: number, map: readonly IdRange[] | undefined): number {
  if (map === undefined) return id;
  const range = map.find(({ inside, count }) => id >= inside && id < inside + count);
  if (range === undefined) throw new Error(`a file belongs to ${id}, which does not exist in the user namespace`);
  return range.outside + id - range.inside;
}
