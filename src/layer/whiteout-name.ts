import { baseName, joinPath, parentOf, type EntryPath } from './entry-path.ts';
import { Refusal } from './refusal.ts';

/** What the name of an entry says: an entry to make, or that something of the layers below is gone. */
export type EntryMeaning =
  | { kind: 'entry' }
  /** `path` of the layers below is gone, with all that is in it. */
  | { kind: 'whiteout'; path: EntryPath }
  /** What the layers below have in the folder `path` is gone. */
  | { kind: 'opaque'; path: EntryPath }
  /** Book-keeping of AUFS. */
  | { kind: 'nothing' };

const PREFIX = '.wh.';
const META_PREFIX = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';
const ENTRY: EntryMeaning = { kind: 'entry' };

/**
 * Tells whiteouts by their name alone, whatever the type of the entry, as all engines do.
 * Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
 * Throws a `Refusal` for a whiteout of nothing, of `.` or `..`, and for a folder named like a whiteout.
 */
export function meaningOf(path: EntryPath): EntryMeaning {
  if (!path.includes(PREFIX)) return ENTRY; // nearly always
  const folder = parentOf(path) ?? '';
  const names = folder.split('/');
  if (names.some((name) => name.startsWith(META_PREFIX))) return { kind: 'nothing' };
  if (names.some(isWhiteoutName)) throw new Refusal('a folder in its path is named like a whiteout');
  const name = baseName(path);
  if (!isWhiteoutName(name)) return ENTRY;
  if (name === OPAQUE) return { kind: 'opaque', path: folder };
  const hidden = name.slice(PREFIX.length);
  // The first three before AUFS: '.wh...' would otherwise name the folder above.
  if (hidden === '' || hidden === '.' || hidden === '..') throw new Refusal('it is a whiteout of no valid name');
  if (name.startsWith(META_PREFIX)) return { kind: 'nothing' };
  return { kind: 'whiteout', path: joinPath(folder, hidden) };
}

export function isWhiteoutName(name: string): boolean {
  return name.startsWith(PREFIX);
}
