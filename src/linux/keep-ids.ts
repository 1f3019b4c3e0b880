import type { IdRange, Ids, Ownership } from './ownership.ts';

/** The ids of a container in which the caller is not root but itself. */
export interface KeptIds {
  ownership: Exclude<Ownership, { kind: 'root' }>;
  /** Who its command runs as. */
  user: Ids;
  /** Whether an overlay over what is unpacked cannot show it with the right owners. */
  needsCopy: boolean;
  /**
   * How a container of the ordinary ownership numbers what this one numbers `inside`. What is unpacked for the one has wrong owners
   * for the other then; undefined if both are the same, or there is only one id.
   */
  owners?: { uids: readonly IdRange[]; gids: readonly IdRange[] } | undefined;
}

/**
 * Podman's keep-id: the caller has its own numbers inside, or those that are `wanted`, and the subordinate ids lie around them,
 * from 0 on. Without subordinate ids there is the caller's alone. Root gets a user namespace with the ids that there are.
 */
export function keepIds(host: Ids & { ownership: Ownership }, wanted: Partial<Ids>): KeptIds {
  const { ownership } = host;
  if (ownership.kind === 'root') {
    const all = [{ inside: 0, outside: 0, count: ALL_IDS }];
    const user = { uid: wanted.uid ?? 0, gid: wanted.gid ?? 0 };
    return { ownership: { kind: 'mapped', uids: all, gids: all }, user, needsCopy: true }; // in there an overlay cannot read trusted.*
  }
  const caller = { uid: wanted.uid ?? host.uid, gid: wanted.gid ?? host.gid };
  if (ownership.kind === 'single') return { ownership: { ...ownership, caller }, user: caller, needsCopy: false };
  if (caller.uid === 0 && caller.gid === 0) return { ownership, user: caller, needsCopy: false };
  const owners = { uids: around(caller.uid, ownership.uids), gids: around(caller.gid, ownership.gids) };
  const uids = through(owners.uids, ownership.uids);
  const gids = through(owners.gids, ownership.gids);
  return { ownership: { kind: 'mapped', uids, gids, caller }, user: caller, needsCopy: true, owners };
}

const ALL_IDS = 0xffff_ffff; // the one that is left out means "no id"

/** Where 0 is the caller, `own` is to be; the ids that come after 0 fill up what lies before. */
function around(own: number, ordinary: readonly IdRange[]): IdRange[] {
  const last = Math.max(...ordinary.map(({ inside, count }) => inside + count - 1));
  const before = Math.min(own, last);
  return [
    { inside: 0, outside: 1, count: before },
    { inside: own, outside: 0, count: 1 },
    { inside: own + 1, outside: own + 1, count: last - own },
  ].filter(({ count }) => count > 0);
}

/** A map whose outside is the inside of another, put together with that. */
function through(map: readonly IdRange[], next: readonly IdRange[]): IdRange[] {
  return map.flatMap((from) =>
    next.flatMap((to) => {
      const start = Math.max(from.outside, to.inside);
      const end = Math.min(from.outside + from.count, to.inside + to.count);
      if (start >= end) return [];
      return [
        { inside: from.inside + start - from.outside, outside: to.outside + start - to.inside, count: end - start },
      ];
    }),
  );
}
