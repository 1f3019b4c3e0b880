import { callerInside } from '../linux/ownership.ts';
import type { IdRange, Ids, Ownership } from '../linux/ownership.ts';

/** Whether the user `uid` exists in a container of this ownership. */
export function hasUser(ownership: Ownership, uid: number): boolean {
  if (ownership.kind === 'mapped') return hasId(ownership.uids, uid);
  return ownership.kind === 'root' || uid === callerInside(ownership).uid;
}

/** Whether the group `gid` exists in a container of this ownership. */
export function hasGroup(ownership: Ownership, gid: number): boolean {
  if (ownership.kind === 'mapped') return hasId(ownership.gids, gid);
  return ownership.kind === 'root' || gid === callerInside(ownership).gid;
}

function hasId(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ inside, count }) => id >= inside && id < inside + count);
}

/** Owner of a file as a container of this ownership sees it, from that on the host. What has no id there counts as root, or as the one id that there is. */
export function insideOwner(ownership: Ownership, owner: Ids): Ids {
  if (ownership.kind === 'root') return { uid: owner.uid, gid: owner.gid };
  if (ownership.kind === 'single') return callerInside(ownership);
  return { uid: insideId(ownership.uids, owner.uid), gid: insideId(ownership.gids, owner.gid) };
}

function insideId(ranges: readonly IdRange[], id: number): number {
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  return range === undefined ? 0 : range.inside + id - range.outside;
}
