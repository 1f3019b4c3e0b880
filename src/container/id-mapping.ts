import type { IdRange, Ownership } from '../linux/ownership.ts';

/** Whether the user `uid` exists in a container of this ownership. */
export function hasUser(ownership: Ownership, uid: number): boolean {
  return hasId(ownership, ownership.kind === 'mapped' ? ownership.uids : [], uid);
}

/** Whether the group `gid` exists in a container of this ownership. */
export function hasGroup(ownership: Ownership, gid: number): boolean {
  return hasId(ownership, ownership.kind === 'mapped' ? ownership.gids : [], gid);
}

function hasId(ownership: Ownership, ranges: readonly IdRange[], id: number): boolean {
  if (ownership.kind === 'root') return true;
  if (ownership.kind === 'single') return id === 0;
  return ranges.some(({ inside, count }) => id >= inside && id < inside + count);
}

/** Owner of a file as a container of this ownership sees it, from that on the host. What has no id there counts as root. */
export function insideOwner(ownership: Ownership, owner: { uid: number; gid: number }): { uid: number; gid: number } {
  if (ownership.kind === 'root') return { uid: owner.uid, gid: owner.gid };
  if (ownership.kind === 'single') return { uid: 0, gid: 0 };
  return { uid: insideId(ownership.uids, owner.uid), gid: insideId(ownership.gids, owner.gid) };
}

function insideId(ranges: readonly IdRange[], id: number): number {
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  return range === undefined ? 0 : range.inside + id - range.outside;
}
