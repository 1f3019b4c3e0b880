import type { SubordinateRange } from './subordinate-ids.ts';

/** Part of an id map: `count` ids from `inside` on (in the user namespace) are those from `outside` on (in the caller's). */
export interface IdRange {
  inside: number;
  outside: number;
  count: number;
}

/**
 * Whose ids files and processes get.
 * - root: the real ones; the caller is privileged in the initial user namespace.
 * - mapped: those of a user namespace with ranges: 0 is the caller, the rest come from /etc/subuid and /etc/subgid.
 * - single: the caller's own only, which is 0 inside.
 * With `caller` the caller is not 0 inside, but that.
 */
export type Ownership =
  | { kind: 'root' }
  | { kind: 'mapped'; uids: readonly IdRange[]; gids: readonly IdRange[]; caller?: Ids | undefined }
  | { kind: 'single'; uid: number; gid: number; caller?: Ids | undefined };

/** A user and a group. */
export interface Ids {
  uid: number;
  gid: number;
}

/** What decides about the ownership. */
export interface OwnershipFacts {
  uid: number;
  gid: number;
  /** In the initial user namespace, with what it takes to set up a container. */
  privileged: boolean;
  /** May write any id map itself: CAP_SETUID and CAP_SETGID. */
  mapsAnyId: boolean;
  /** newuidmap and newgidmap are there and can get their privileges. */
  idMapTools: boolean;
  /** Ids of the caller's user namespace, as /proc/self/uid_map and gid_map list them. */
  ownUids: readonly IdRange[];
  ownGids: readonly IdRange[];
  subordinateUids: readonly SubordinateRange[];
  subordinateGids: readonly SubordinateRange[];
}

/** The best ownership that the facts allow. */
export function chooseOwnership(facts: OwnershipFacts): Ownership {
  const { uid, gid } = facts;
  if (facts.privileged) return { kind: 'root' };
  if (facts.mapsAnyId && uid === 0) {
    // Root of a container: it has no subordinate ids, but may hand on all that it has itself.
    const [uids, gids] = [sameIds(facts.ownUids), sameIds(facts.ownGids)];
    if (hasSeveralIds(uids) && hasSeveralIds(gids)) return { kind: 'mapped', uids, gids };
  }
  if (facts.idMapTools) {
    const [uids, gids] = [withOwnFirst(uid, facts.subordinateUids), withOwnFirst(gid, facts.subordinateGids)];
    if (uids.length > 1 && gids.length > 1) return { kind: 'mapped', uids, gids };
  }
  return { kind: 'single', uid, gid };
}

/** What the caller is in a user namespace of this ownership. */
export function callerInside(ownership: Ownership): Ids {
  return ownership.kind === 'root' ? ROOT : (ownership.caller ?? ROOT);
}

const ROOT: Ids = { uid: 0, gid: 0 };

/** 0 is the caller, 1 and so on are the ranges in their order. */
function withOwnFirst(own: number, ranges: readonly SubordinateRange[]): IdRange[] {
  const map: IdRange[] = [{ inside: 0, outside: own, count: 1 }];
  let inside = 1;
  for (const { start, count } of ranges.slice(0, MAX_RANGES - 1)) {
    if (start <= own && own < start + count) continue; // the kernel takes no id twice
    map.push({ inside, outside: start, count });
    inside += count;
  }
  return map;
}

const MAX_RANGES = 340; // lines that the kernel takes: user_namespaces(7)

function sameIds(own: readonly IdRange[]): IdRange[] {
  return own.map(({ inside, count }) => ({ inside, outside: inside, count }));
}

function hasSeveralIds(ranges: readonly IdRange[]): boolean {
  return ranges.length > 1 || ranges.some(({ count }) => count > 1);
}
