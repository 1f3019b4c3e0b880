import { parentOf, type EntryPath } from './entry-path.ts';

/** What the whiteouts of a layer say about one path. */
export interface Marker {
  /** What the layers below have at the path is gone. */
  isWhiteout: boolean;
  /** What they have in the folder is gone, but not the folder. */
  isOpaque: boolean;
}

/**
 * The whiteouts of a layer. They speak of the layers below alone, wherever they stand in the archive, so they are collected first
 * and put into effect when all entries are there. Paths are as in the archive: a symlink in one leads nowhere.
 */
export class Markers {
  private readonly markers = new Map<EntryPath, Marker>();
  private readonly needed = new Set<EntryPath>();
  private readonly onAdded: (path: EntryPath) => void;

  /** `onAdded` is called for each path that gets its first marker, and may throw. */
  constructor(onAdded: (path: EntryPath) => void) {
    this.onAdded = onAdded;
  }

  add(path: EntryPath, kind: 'whiteout' | 'opaque'): void {
    let marker = this.markers.get(path);
    if (marker === undefined) {
      this.onAdded(path);
      marker = { isWhiteout: false, isOpaque: false };
      this.markers.set(path, marker);
    }
    if (kind === 'whiteout') marker.isWhiteout = true;
    else marker.isOpaque = true;
  }

  /** Says that the layer has made use of what the layers below have at `path`. */
  need(path: EntryPath): void {
    if (this.needed.has(path)) return;
    this.onAdded(path);
    this.needed.add(path);
  }

  /** A path that is needed and hidden, which is a contradiction; undefined if there is none. To be asked at the end. */
  contradiction(): EntryPath | undefined {
    for (const path of this.needed) if (this.hides(path)) return path;
    return undefined;
  }

  delete(path: EntryPath): boolean {
    return this.markers.delete(path);
  }

  get(path: EntryPath): Marker | undefined {
    return this.markers.get(path);
  }

  /** All of them as they are now: more may be added meanwhile. */
  entries(): [EntryPath, Marker][] {
    return [...this.markers];
  }

  /** Whether nothing of the layers below can be seen at `path`, because of a marker on it or on a folder above. */
  hides(path: EntryPath): boolean {
    return this.markers.get(path)?.isWhiteout === true || this.hidesParentOf(path);
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
