import type { FileTime } from '../linux/libc-files.ts';
import type { EntryId } from './entry-id.ts';
import type { SparseFragment } from './sparse-map.ts';

export type EntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'folder' | 'fifo';

/**
 * One entry of a tar archive with all of its extension headers applied.
 * Text is one character per byte (latin1), because names are bytes and need not be UTF-8.
 */
export interface TarEntry extends EntryId {
  type: EntryType;
  /** What a link points to; empty for other types. */
  linkName: string;
  /** Bytes of the file's content, holes included; 0 for what has no content. */
  size: number;
  /** As in the archive: not yet cut to permission bits. */
  mode: number;
  /** Not yet checked: may be negative or too large. */
  uid: number;
  gid: number;
  /** Not yet clamped; `seconds` may be negative. */
  mtime: FileTime;
  deviceMajor: number;
  deviceMinor: number;
  /** Name -> bytes of the SCHILY.xattr records, all of them, allowed or not. */
  xattrs: ReadonlyMap<string, string> | undefined;
  /** Where the content's bytes belong, if the file has holes. */
  sparse: readonly SparseFragment[] | undefined;
}
