import type { EntryId } from './entry-id.ts';
import { detached, parentOf, type EntryPath } from './entry-path.ts';

/**
 * What the whiteouts of a layer say about one path: that what the layers below have there is gone, or only what they have in the
 * folder, but not the folder. The first includes the second.
 */
export type Marker = 'whiteout' | 'opaque';

/** A path that the layer has made use of, though it is hidden. */
export interface Contradiction {
  path: EntryPath;
  by: EntryId;
}

/**
 * The whiteouts of a layer. They speak of the layers below alone, wherever they stand in the archive, so they are collected first
 * and put into effect when all entries are there. Paths are as in the archive: a symlink in one leads nowhere.
 */
export class Markers {
  private readonly markers = new Map<EntryPath, Marker>();
  private readonly needed = new Map<EntryPath, EntryId>();
  private readonly onAdded: (path: EntryPath) => void;

  /** `onAdded` is called for each path that is kept, and may throw. */
  constructor(onAdded: (path: EntryPath) => void) {
    this.onAdded = onAdded;
  }

  add(path: EntryPath, marker: Marker): void {
    if (!this.markers.has(path)) {
      this.onAdded(path);
      this.markers.set(detached(path), marker);
    } else if (marker === 'whiteout') {
      this.markers.set(path, marker);
    }
  }

  /** Says that the entry `by` has made use of what the layers below have at `path`. */
  need(path: EntryPath, by: EntryId): void {
    if (this.needed.has(path)) return;
    const { index, name } = by;
    this.onAdded(path);
    this.onAdded(name);
    this.needed.set(detached(path), { index, name: detached(name) });
  }

  /** What is needed and hidden; undefined if nothing is. To be asked at the end. */
  contradiction(): Contradiction | undefined {
    for (const [path, by] of this.needed) if (this.hides(path)) return { path, by };
    return undefined;
  }

  delete(path: EntryPath): boolean {
    return this.markers.delete(path);
  }

  get(path: EntryPath): Marker | undefined {
    return this.markers.get(path);
  }

  entries(): IterableIterator<[EntryPath, Marker]> {
    return this.markers.entries();
  }

  /** Whether nothing of the layers below can be seen at `path`, because of a marker on it or on a folder above. */
  hides(path: EntryPath): boolean {
    return this.markers.get(path) === 'whiteout' || this.hidesParentOf(path);
  }

  /** Whether a marker on a folder above hides what the layers below have at `path`. */
  hidesParentOf(path: EntryPath): boolean {
    if (this.markers.size === 0) return false;
    for (let folder = parentOf(path); folder !== undefined; folder = parentOf(folder)) {
      if (this.markers.has(folder)) return true;
    }
    return false;
  }
}
