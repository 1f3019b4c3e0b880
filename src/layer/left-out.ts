import { lstatSync, unlinkSync } from 'node:fs';

import { detached, parentOf, toFsPath, type EntryPath } from './entry-path.ts';
import type { Folders } from './folders.ts';

/** Where sockets stand in the place of what is left out of a layer. */
export class LeftOut {
  private readonly paths = new Set<EntryPath>();
  private readonly onAdded: (path: EntryPath) => void;

  /** `onAdded` is called for each path that is kept, and may throw. */
  constructor(onAdded: (path: EntryPath) => void) {
    this.onAdded = onAdded;
  }

  add(path: EntryPath): void {
    if (this.paths.has(path)) return;
    this.onAdded(path);
    this.paths.add(detached(path));
  }

  isAt(path: EntryPath): boolean {
    return this.paths.has(path) && isSocket(path);
  }

  /** Removes the sockets that nothing has replaced, and answers where they were. To be called once, at the end. */
  *clear(folders: Folders): Generator<EntryPath, void> {
    for (const path of this.paths) {
      // Its folder may have become a symlink meanwhile, which would lead elsewhere.
      if (!folders.has(parentOf(path) ?? '') || !isSocket(path)) continue;
      unlinkSync(toFsPath(path));
      yield path;
    }
  }
}

function isSocket(path: EntryPath): boolean {
  return lstatSync(toFsPath(path), { throwIfNoEntry: false })?.isSocket() === true;
}
