import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { joinBytes, walkMergedTree } from './merged-tree.ts';
import type { MergedEntry, MergedTreeOptions } from './merged-tree.ts';
import { translateId } from './translate-id.ts';
import type { OwnerMap } from './translate-id.ts';

/** What Node's fs cannot do. Paths are bytes, and symlinks are never followed. */
export interface NodeAttributes {
  makeNode(path: Buffer, stats: Stats): void;
  /**
   * Of a file or folder: all extended attributes but those of overlayfs. File capabilities are made those of a user namespace whose root
   * is `root` here, if that is given.
   */
  copyXattrs(from: Buffer, to: Buffer, root?: number): void;
  /** In nanoseconds since 1970. */
  setModified(path: Buffer, mtimeNs: bigint): void;
}

export interface CopyMergedTreeOptions extends MergedTreeOptions {
  /** An empty folder. */
  destination: string;
  attributes: NodeAttributes;
  /** What the copies' owners are, where they are not those of the layers. */
  owners?: OwnerMap | undefined;
}

/**
 * Writes the merged view of a stack of layers out as an ordinary tree: types, bytes, owners, modes, times to the nanosecond,
 * extended attributes and hard links as they are, but for the `owners`. Shares blocks with the layers where the file system can (reflink).
 */
export function copyMergedTree(options: CopyMergedTreeOptions): void {
  const destination = Buffer.from(options.destination);
  const firstOfInode = new Map<string, Buffer>();
  const folders: Placed[] = [];
  for (const entry of walkMergedTree(options)) {
    const target = targetOf(entry, destination);
    if (entry.stats.isDirectory()) {
      if (entry.path.length > 0) mkdirSync(target, 0o700);
      folders.push({ ...entry, target });
      continue;
    }
    const inode = `${entry.stats.dev}:${entry.stats.ino}`;
    const linked = entry.stats.nlink > 1 ? firstOfInode.get(inode) : undefined;
    if (linked !== undefined) {
      linkSync(linked, target);
      continue;
    }
    if (entry.stats.nlink > 1) firstOfInode.set(inode, target);
    makeEntry({ ...entry, target }, options.attributes);
    copyAttributes({ ...entry, target }, options);
  }
  // Deepest first: filling a folder changes its times, and a read-only one cannot be filled.
  for (const folder of folders.reverse()) copyAttributes(folder, options);
}

/** What is copied where. */
type Placed = MergedEntry & { target: Buffer };

function targetOf({ path }: MergedEntry, destination: Buffer): Buffer {
  let target = destination;
  for (const name of path) target = joinBytes(target, name);
  return target;
}

function makeEntry({ source, stats, target }: Placed, attributes: NodeAttributes): void {
  if (stats.isFile()) copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  else if (stats.isSymbolicLink()) symlinkSync(readlinkSync(source, { encoding: 'buffer' }), target);
  else attributes.makeNode(target, stats);
}

function copyAttributes({ source, stats, target }: Placed, { attributes, owners }: CopyMergedTreeOptions): void {
  lchownSync(target, translateId(stats.uid, owners?.uids), translateId(stats.gid, owners?.gids));
  // After the owner, because changing that clears setuid and capabilities.
  if (!stats.isSymbolicLink()) chmodSync(target, stats.mode & 0o7777);
  if (stats.isFile() || stats.isDirectory())
    attributes.copyXattrs(source, target, owners && translateId(0, owners.uids));
  attributes.setModified(target, lstatSync(source, { bigint: true }).mtimeNs);
}
