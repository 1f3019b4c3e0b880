import type { IdRange, Ownership } from '../linux/ownership.ts';
import { Refusal } from './refusal.ts';

export interface Owner {
  uid: number;
  gid: number;
}

/** (uid)-1 means "no change" to the kernel, so it is nobody's. */
const MAX_ID = 2 ** 32 - 2;

const SUBID_HINT =
  'Give this user a larger range in /etc/subuid and /etc/subgid, for example with `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 <user>`.';

/**
 * Whose a file of the archive becomes on disk, as ids inside the user namespace. With 'single' everything is root's there.
 * Throws a `Refusal` for ids that are none, or that 'mapped' has no place for.
 */
export function ownerOnDisk(owner: Owner, ownership: Ownership): Owner {
  checkId(owner.uid, 'user');
  checkId(owner.gid, 'group');
  if (ownership.kind === 'root') return owner;
  if (ownership.kind === 'single') return { uid: 0, gid: 0 };
  checkMapped(owner.uid, ownership.uids, 'user');
  checkMapped(owner.gid, ownership.gids, 'group');
  return owner;
}

function checkId(id: number, what: string): void {
  if (!Number.isSafeInteger(id) || id < 0 || id > MAX_ID) throw new Refusal(`its ${what} id ${id} is not a valid one`);
}

function checkMapped(id: number, ranges: readonly IdRange[], what: string): void {
  if (ranges.some(({ inside, count }) => id >= inside && id < inside + count)) return;
  throw new Refusal(`its ${what} id ${id} is outside of the range of subordinate ids`, { hint: SUBID_HINT });
}
