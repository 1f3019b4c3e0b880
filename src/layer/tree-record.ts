import type { FileTime } from '../linux/libc-files.ts';
import type { EntryPath } from './entry-path.ts';
import type { Owner } from './owners.ts';
import type { Xattrs } from './xattr-policy.ts';

/** The owner is the archive's, which with a single-id map is not the one on disk. */
interface Attributes extends Owner {
  /** Permission bits with setuid, setgid and sticky. */
  mode: number;
  /** `<seconds>.<nine digits>`. */
  mtime: string;
  /** Name -> value in base64. */
  xattrs?: Record<string, string>;
}

/** What a layer has at one path. All text is one character per byte (latin1), paths are relative to the layer's root. */
export type TreeRecord = { path: EntryPath } & (
  | ({ type: 'file'; size: number; crc32: number } & Attributes)
  | ({ type: 'folder'; isOpaque?: true } & Attributes)
  | ({ type: 'fifo' } & Attributes)
  | ({ type: 'symlink'; target: string; mtime: string } & Owner)
  /** Another name of the file at `target`. */
  | { type: 'hardlink'; target: EntryPath }
  /** A name of the layers below that is gone. */
  | { type: 'whiteout' }
  /** What earlier records say of this path is not there any more. */
  | { type: 'removed' }
);

export function recordXattrs(xattrs: Xattrs | undefined): { xattrs?: Record<string, string> } {
  if (xattrs === undefined) return {};
  // fromEntries defines own properties, so that no name can be special.
  return { xattrs: Object.fromEntries([...xattrs].map(([name, value]) => [name, value.toString('base64')])) };
}

export function recordTime({ seconds, nanoseconds }: FileTime): string {
  return `${seconds}.${String(nanoseconds).padStart(9, '0')}`;
}
