import { lstatSync, readdirSync } from 'node:fs';
import type { Stats } from 'node:fs';

/** One path of the merged view of a stack of layers. Names are bytes: an image may hold names that are not UTF-8. */
export interface MergedEntry {
  /** Names from the root down; the root itself is the empty list. */
  path: Buffer[];
  /** The file on disk that this path comes from. */
  source: Buffer;
  stats: Stats;
}

/** What a layer says by extended attributes. */
export interface OverlayMarks {
  /** Whether the folder hides what is below it (`trusted.overlay.opaque` or `user.overlay.opaque` is `y`). */
  isOpaque: (folder: Buffer) => boolean;
  /** Whether the empty file stands for "nothing here any more": see FILE_WHITEOUT_XATTR. */
  isFileWhiteout: (file: Buffer) => boolean;
}

export interface MergedTreeOptions {
  /** The layers' trees, bottom first. */
  trees: string[];
  marks: OverlayMarks;
}

/**
 * Walks the tree that overlayfs would show for `trees`, parents before children, without mounting anything:
 * per name the topmost layer wins, a whiteout hides it, folders merge until one is opaque or something else is in the way.
 * Never follows a symlink. Source: kernel Documentation/filesystems/overlayfs.rst.
 */
export function* walkMergedTree(options: MergedTreeOptions): Generator<MergedEntry> {
  const roots = options.trees.map((tree) => Buffer.from(tree)).reverse(); // top first
  const top = roots[0];
  if (top === undefined) return;
  yield { path: [], source: top, stats: lstatSync(top) };
  yield* walkFolder([], roots, options);
}

function* walkFolder(path: Buffer[], folders: Buffer[], options: MergedTreeOptions): Generator<MergedEntry> {
  for (const name of mergedNames(folders)) {
    const merged = mergeName(name, folders, options.marks);
    if (merged === undefined) continue;
    const childPath = [...path, name];
    yield { path: childPath, source: merged.source, stats: merged.stats };
    if (merged.folders.length > 0) yield* walkFolder(childPath, merged.folders, options);
  }
}

/** Every name in any of the folders, once. */
function mergedNames(folders: Buffer[]): Iterable<Buffer> {
  const names = new Map<string, Buffer>();
  for (const folder of folders) {
    for (const name of readdirSync(folder, { encoding: 'buffer' })) names.set(name.toString('latin1'), name);
  }
  return names.values();
}

/** What a name in a merged folder stands for. */
export interface MergedName {
  source: Buffer;
  stats: Stats;
  /** For a folder: the folders that make up its content, top first. */
  folders: Buffer[];
}

/** Looks up one name in the folder that `folders` (top first) make up; undefined if nothing is there any more. */
export function mergeName(name: Buffer, folders: readonly Buffer[], marks: OverlayMarks): MergedName | undefined {
  let merged: MergedName | undefined;
  for (const folder of folders) {
    const source = joinBytes(folder, name);
    const stats = lstatSync(source, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (isWhiteout(source, stats, marks)) break;
    if (merged === undefined) {
      merged = { source, stats, folders: [] };
      if (!stats.isDirectory()) break;
    } else if (!stats.isDirectory()) break;
    merged.folders.push(source);
    if (marks.isOpaque(source)) break;
  }
  return merged;
}

/** Whether this is how a layer says "nothing here any more": a character device 0:0, or an empty file that is marked. */
function isWhiteout(source: Buffer, stats: Stats, marks: OverlayMarks): boolean {
  if (stats.isCharacterDevice()) return stats.rdev === 0;
  return stats.isFile() && stats.size === 0 && marks.isFileWhiteout(source);
}

const SLASH = Buffer.from('/');

/** `folder/name` in bytes. */
export function joinBytes(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, SLASH, name]);
}
