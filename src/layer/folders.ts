import { lstatSync, mkdirSync, opendirSync, readlinkSync, rmdirSync, unlinkSync } from 'node:fs';

import { detached, joinPath, parentOf, toFsPath, type EntryPath } from './entry-path.ts';
import { Refusal } from './refusal.ts';
import { isWhiteoutName } from './whiteout-name.ts';
import type { Xattrs } from './xattr-policy.ts';

/** What a folder is to become when everything is in it. The owner is the archive's. */
export interface FolderAttributes {
  mode: number;
  uid: number;
  gid: number;
  seconds: number;
  nanoseconds: number;
  xattrs: Xattrs | undefined;
}

/** Attributes of a folder that the archive has, or 'implied' for one that it only has something in. */
export type FolderState = FolderAttributes | 'implied';

const MAX_LINKS = 255; // symlinks on the way to one folder, as in Docker
const MAX_XATTR_BYTES = 32 * 1024 * 1024; // of all folders, kept in memory
const XATTR_COST = 512; // bytes that one takes beside its name and value

/**
 * All folders of the layer that is being unpacked, except its root. Every one that exists is in here, under the path that has no
 * symlink in it, so that a path is known to be without symlinks if its parent is in here. Their modes and times are set at the
 * end: until then things are made in them.
 */
export class Folders {
  private readonly states = new Map<EntryPath, FolderState>();
  private readonly onAdded: (path: EntryPath) => void;
  private xattrBytes = 0;

  /** `onAdded` is called for each new folder, and may throw. */
  constructor(onAdded: (path: EntryPath) => void) {
    this.onAdded = onAdded;
  }

  has(path: EntryPath): boolean {
    return path === '' || this.states.has(path);
  }

  entries(): IterableIterator<[EntryPath, FolderState]> {
    return this.states.entries();
  }

  /** Makes the folder `path`, or gives the one that is there new attributes; anything else there is replaced. */
  make(path: EntryPath, attributes: FolderAttributes): void {
    this.forget(path);
    if (!this.states.has(path)) this.create(path, attributes);
    this.states.set(path, attributes);
    this.xattrBytes += xattrBytesOf(attributes);
    if (this.xattrBytes > MAX_XATTR_BYTES) {
      throw new Refusal('its folders have too many extended attributes', { code: 'ERR_LIMIT' });
    }
  }

  /** The path without symlinks of the folder that `path` leads to, made with all of its parents where it is not there. */
  enter(path: EntryPath): EntryPath {
    return this.states.has(path) ? path : this.walk(path, (missing) => this.create(missing, 'implied'));
  }

  /** The same without making anything: it need not be there. */
  resolve(path: EntryPath): EntryPath {
    return this.has(path) ? path : this.walk(path, () => undefined);
  }

  /** Removes what is at `path`, a folder with all that is in it. Answers whether there was anything. */
  remove(path: EntryPath): boolean {
    if (this.states.has(path)) this.removeFolder(path);
    else if (lstatSync(toFsPath(path), { throwIfNoEntry: false }) === undefined) return false;
    else unlinkSync(toFsPath(path));
    return true;
  }

  private walk(path: EntryPath, onMissing: (path: EntryPath) => void): EntryPath {
    const names = path.split('/').reverse();
    let current: EntryPath = '';
    for (let links = 0; names.length > 0;) {
      const name = names.pop() ?? '';
      if (name === '' || name === '.') continue;
      const next = name === '..' ? (parentOf(current) ?? '') : joinPath(current, name);
      const target = this.has(next) ? undefined : this.linkTargetOf(next);
      if (target === undefined) {
        if (!this.has(next)) {
          if (isWhiteoutName(name)) throw new Refusal('its path leads to a folder named like a whiteout');
          onMissing(next);
        }
        current = next;
        continue;
      }
      links += 1;
      if (links > MAX_LINKS) throw new Refusal('too many symlinks lead to it');
      if (target.startsWith('/')) current = '';
      names.push(...target.split('/').reverse());
    }
    return current;
  }

  /** Of the symlink at `path`; undefined if nothing is there. Throws for what cannot be a parent. */
  private linkTargetOf(path: EntryPath): string | undefined {
    const stats = lstatSync(toFsPath(path), { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (!stats.isSymbolicLink()) throw new Refusal('something that is not a folder stands in its path');
    return readlinkSync(toFsPath(path), 'latin1');
  }

  private create(path: EntryPath, state: FolderState): void {
    this.onAdded(path);
    try {
      mkdirSync(toFsPath(path), WORKING_MODE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      unlinkSync(toFsPath(path)); // not a folder, or it would be known
      mkdirSync(toFsPath(path), WORKING_MODE);
    }
    this.states.set(detached(path), state);
  }

  /** Of the attributes that a folder has had. */
  private forget(path: EntryPath): void {
    this.xattrBytes -= xattrBytesOf(this.states.get(path));
  }

  private removeFolder(path: EntryPath): void {
    for (let names = firstNames(path); names.length > 0; names = firstNames(path)) {
      for (const name of names) this.removeChild(joinPath(path, name));
    }
    rmdirSync(toFsPath(path));
    this.forget(path);
    this.states.delete(path);
  }

  private removeChild(path: EntryPath): void {
    if (this.states.has(path)) this.removeFolder(path);
    else unlinkSync(toFsPath(path));
  }
}

function xattrBytesOf(state: FolderState | undefined): number {
  if (typeof state !== 'object') return 0;
  let total = 0;
  for (const [name, value] of state.xattrs ?? []) total += XATTR_COST + name.length + value.length;
  return total;
}

const MAX_NAMES = 10_000;

/** Some of the names in a folder: not all at once, and with no descriptor left open, for there may be millions, or a thousand levels. */
function firstNames(path: EntryPath): string[] {
  const folder = opendirSync(toFsPath(path), { encoding: 'latin1' as BufferEncoding, bufferSize: 256 });
  try {
    const names: string[] = [];
    while (names.length < MAX_NAMES) {
      const entry = folder.readSync();
      if (entry === null) break;
      names.push(entry.name);
    }
    return names;
  } finally {
    folder.closeSync();
  }
}

const WORKING_MODE = 0o755;
