import { closeSync, constants, fstatSync, type BigIntStats } from 'node:fs';

import { FILE_WHITEOUT_XATTR } from '../linux/file-whiteout.ts';
import type { FileCalls } from '../linux/libc-files.ts';
import type { XattrCalls } from '../linux/libc-xattr.ts';
import { O } from '../linux/path-flags.ts';
import { joinPath, parentOf, type EntryPath } from './entry-path.ts';
import { Refusal } from './refusal.ts';

/** Something in the merged view of the layers below, with the layer that it is in. */
export interface LowerEntry {
  path: EntryPath;
  stats: BigIntStats;
  /** Opens it for reading, without following a symlink. The caller closes the descriptor. */
  open(flags: number): number;
}

export interface LowerLayersOptions {
  count: number;
  /** Answers their trees opened with O_PATH, bottom first. Called once, before the first look; may block. */
  openFolders: () => readonly number[];
  opaqueXattr: string;
  files: FileCalls;
  xattrs: XattrCalls;
}

/**
 * The merged view of the layers below, for one that is being unpacked. They lie outside of the chroot and are reached by
 * descriptors alone. No symlink is ever followed: a path is only looked up in a layer where all its parents are real folders.
 */
export class LowerLayers {
  private readonly options: LowerLayersOptions;
  private folders: readonly number[] | undefined;
  /** For each folder on the way to the last path that was looked up: the layers that show it, top first, by index. */
  private trail: { path: EntryPath; layers: readonly number[] }[] = [];

  constructor(options: LowerLayersOptions) {
    this.options = options;
  }

  /** What the container would see at `path` if this layer did not exist; undefined for nothing. */
  find(path: EntryPath): LowerEntry | undefined {
    if (this.options.count === 0) return undefined;
    const parent = parentOf(path);
    const layers = parent === undefined ? this.rootLayers() : this.layersOf(parent);
    for (const layer of layers) {
      const stats = this.stat(layer, path);
      if (stats === undefined) continue;
      if (this.isWhiteout(layer, path, stats)) return undefined;
      return { path, stats, open: (flags) => this.open(layer, path, flags) };
    }
    return undefined;
  }

  /** The names in the root of the merged view. Throws a `Refusal` for more than `max`. */
  rootNames(max: number): string[] {
    if (this.options.count === 0) return [];
    const names = new Set<string>();
    for (const layer of this.rootLayers()) this.addNames(layer, names, max);
    return [...names].filter((name) => this.find(name) !== undefined);
  }

  private addNames(layer: number, names: Set<string>, max: number): void {
    const { files } = this.options;
    const fd = this.open(layer, '.', constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      for (let batch = files.nextNames(fd); batch !== undefined; batch = files.nextNames(fd)) {
        for (const name of batch) names.add(name);
        if (names.size > max) throw new Refusal('there are too many files in the layers below', { code: 'ERR_LIMIT' });
      }
    } finally {
      closeSync(fd);
    }
  }

  private rootLayers(): number[] {
    return Array.from({ length: this.options.count }, (_, index) => this.options.count - 1 - index);
  }

  /** The layers whose folder `path` is part of the merged view, top first. */
  private layersOf(path: EntryPath): readonly number[] {
    if (path === '') return this.rootLayers();
    while (this.trail.length > 0 && !isWithin(path, this.trail.at(-1)?.path ?? '')) this.trail.pop();
    let known = this.trail.at(-1) ?? { path: '', layers: this.rootLayers() };
    const rest = known.path === '' ? path : path.slice(known.path.length + 1);
    for (const name of rest === '' ? [] : rest.split('/')) {
      const child = joinPath(known.path, name);
      known = { path: child, layers: this.showing(child, known.layers) };
      this.trail.push(known);
    }
    return known.layers;
  }

  private showing(path: EntryPath, parents: readonly number[]): number[] {
    const layers: number[] = [];
    for (const layer of parents) {
      const stats = this.stat(layer, path);
      if (stats === undefined) continue;
      if (!stats.isDirectory()) break; // a whiteout, or anything else that hides what is below
      layers.push(layer);
      if (this.isOpaque(layer, path)) break;
    }
    return layers;
  }

  private stat(layer: number, path: EntryPath): BigIntStats | undefined {
    let fd: number;
    try {
      fd = this.open(layer, path, O.PATH);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
    try {
      return fstatSync(fd, { bigint: true });
    } finally {
      closeSync(fd);
    }
  }

  private isOpaque(layer: number, path: EntryPath): boolean {
    const fd = this.open(layer, path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return this.options.xattrs.get(fd, this.options.opaqueXattr)?.toString() === 'y';
    } finally {
      closeSync(fd);
    }
  }

  private isWhiteout(layer: number, path: EntryPath, stats: BigIntStats): boolean {
    if (stats.isCharacterDevice()) return stats.rdev === 0n;
    if (!stats.isFile() || stats.size > 0n) return false;
    const fd = this.open(layer, path, constants.O_RDONLY);
    try {
      return this.options.xattrs.get(fd, FILE_WHITEOUT_XATTR) !== undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** Safe only because every parent of `path` is known to be a folder in this layer, and layers do not change. */
  private open(layer: number, path: EntryPath, flags: number): number {
    return this.options.files.openAt(this.folder(layer), Buffer.from(path, 'latin1'), flags | constants.O_NOFOLLOW);
  }

  private folder(layer: number): number {
    this.folders ??= this.options.openFolders();
    const fd = this.folders[layer];
    if (fd === undefined) throw new RangeError(`There is no layer ${layer}`);
    return fd;
  }
}

function isWithin(path: EntryPath, folder: EntryPath): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
