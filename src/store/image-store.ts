import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

import { isToolError } from '../errors.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { syncFolder } from '../fs/sync-folder.ts';
import { writeFileAtomic } from '../fs/write-file-atomic.ts';
import type { Digest } from '../oci/digest.ts';
import { PULL_AGAIN, damaged } from './damaged.ts';
import {
  encodeRecord,
  entryKey,
  entryName,
  isOwnEntry,
  isProtectedEntry,
  isUnchanged,
  manifestOf,
  parseRecord,
  recordKey,
  withProtection,
  type ImageRecord,
} from './image-record.ts';
import { encodeIndexFile, readIndexFile, unreadable, type IndexEntry, type IndexFile } from './index-file.ts';
import { blobPath, type InternalPaths } from './layout.ts';
import { protectedImage } from './protected-image.ts';
import { keepReserve, withSpaceReserve } from './space-reserve.ts';
import { placeOf, recordsOf, storedEntries } from './stored-entries.ts';

export type { ImageRecord } from './image-record.ts';

export interface ImageChangeOptions {
  /** Ends the waiting for other processes that change names, or collect garbage. */
  signal?: AbortSignal | undefined;
}

export interface SetImageOptions extends ImageChangeOptions {
  /** Throw ERR_CONFLICT if the name is protected and stands for another image. Unless set, it goes over, protected as it is. */
  spareProtected?: boolean | undefined;
}

/**
 * The names of images. Readers see the state before or after a change, also after a crash.
 * All throw ERR_STORE_DAMAGED when the names cannot be read, and never take damage for absence.
 */
export interface ImageStore {
  /** Throws ERR_STORE_DAMAGED for an entry that is not what was written, too. */
  get(name: string): Promise<ImageRecord | undefined>;
  /** In the order in which the names were first given. */
  list(): Promise<ImageRecord[]>;
  /**
   * Gives a name, or changes what it stands for. An image that loses its last name by that stays in the list without one; a
   * record without a name is such an image. Everything that the image needs has to be in the store, and leased until then.
   * Throws ERR_STORE_DAMAGED if the target or the manifest is not there; ERR_NO_SPACE.
   */
  set(record: ImageRecord, options?: SetImageOptions): Promise<void>;
  /** Protects a name, or the entry without one that stands for the manifest, or ends that. Answers whether there is such an entry. */
  protect(
    entry: Pick<ImageRecord, 'name' | 'manifest'>,
    isProtected: boolean,
    options?: ImageChangeOptions,
  ): Promise<boolean>;
  /**
   * Answers whether there was such a name. Works on a full disk. What it stood for stays until garbage is collected.
   * Throws ERR_CONFLICT if it is protected.
   */
  delete(name: string, options?: ImageChangeOptions): Promise<boolean>;
  /** The same for the entries without a name that stand for `manifest`. */
  deleteUnnamed(manifest: Digest, options?: ImageChangeOptions): Promise<boolean>;
  /** The same for any number of names and entries without one, in one step. A name that stands for another image by now stays. */
  deleteAll(records: readonly ImageRecord[], options?: ImageChangeOptions): Promise<boolean>;
}

export function createImageStore(paths: InternalPaths): ImageStore {
  return {
    async get(name) {
      const { entries } = await readIndexFile(paths.index);
      const entry = entries.find((entry) => isOwnEntry(entry) && entryName(entry) === name);
      const record = entry && parseRecord(entry, placeOf(entry, paths.index));
      if (entry === undefined || record === undefined || isUnchanged(entry, record)) return record;
      throw unreadable(`${paths.index} "${name}"`, 'its entry is not what was written');
    },
    async list() {
      return recordsOf(await storedEntries(paths.index));
    },
    async set(record, { signal, spareProtected = false } = {}) {
      // Garbage collection that has read the names already must not miss this one.
      await withFileLock({ path: paths.gcLock, kind: 'shared', signal }, async () => {
        await requireContent(paths, record);
        await changeIndex(paths, { signal, spendReserve: record.name === undefined }, (index) => {
          if (spareProtected) refuseToMove(index, record);
          return withRecord(index, record);
        });
      });
    },
    async protect(entry, isProtected, { signal } = {}) {
      let found = false;
      await changeIndex(paths, { signal, spendReserve: false }, (index) => {
        const changed = withProtectedEntry(index, entry, isProtected);
        found = changed.found;
        return changed.index;
      });
      return found;
    },
    async delete(name, { signal } = {}) {
      return changeIndex(paths, { signal, spendReserve: true }, (index) =>
        without(index, (entry) => entryName(entry) === name),
      );
    },
    async deleteUnnamed(manifest, { signal } = {}) {
      return changeIndex(paths, { signal, spendReserve: true }, (index) =>
        without(index, (entry) => isUnnamed(entry, manifest)),
      );
    },
    async deleteAll(records, { signal } = {}) {
      const doomed = new Set(records.map(recordKey));
      return changeIndex(paths, { signal, spendReserve: true }, (index) =>
        without(index, (entry) => doomed.has(entryKey(entry))),
      );
    },
  };
}

/** Undefined if no entry of ours is taken away. */
function without({ rest, entries }: IndexFile, matches: (entry: IndexEntry) => boolean): IndexFile | undefined {
  const doomed = new Set(entries.filter((entry) => isOwnEntry(entry) && matches(entry)));
  // Looked at here too, under the lock: it may have been protected since the caller looked.
  const spared = [...doomed].find(isProtectedEntry);
  if (spared !== undefined) throw protectedImage('delete', entryName(spared) ?? manifestOf(spared) ?? '');
  return doomed.size === 0 ? undefined : { rest, entries: entries.filter((entry) => !doomed.has(entry)) };
}

/** `index` is undefined if nothing has changed. */
function withProtectedEntry(
  { rest, entries }: IndexFile,
  { name, manifest }: Pick<ImageRecord, 'name' | 'manifest'>,
  isProtected: boolean,
): { found: boolean; index: IndexFile | undefined } {
  const at = entries.findIndex((entry) =>
    name === undefined ? isUnnamed(entry, manifest) : isOwnEntry(entry) && entryName(entry) === name,
  );
  const entry = entries[at];
  if (entry === undefined || isProtectedEntry(entry) === isProtected)
    return { found: entry !== undefined, index: undefined };
  return { found: true, index: { rest, entries: entries.with(at, withProtection(entry, isProtected)) } };
}

function refuseToMove({ entries }: IndexFile, { name, manifest }: ImageRecord): void {
  const held = entries.find((entry) => isProtectedEntry(entry) && entryName(entry) === name);
  if (name === undefined || held === undefined || manifestOf(held) === manifest) return;
  throw protectedImage('replace', name);
}

interface ChangeOptions extends ImageChangeOptions {
  /** Go on when the disk is full: only for what leads to more room. */
  spendReserve: boolean;
}

/** Answers false, and writes nothing, if `change` answers undefined. */
async function changeIndex(
  paths: InternalPaths,
  { signal, spendReserve }: ChangeOptions,
  change: (index: IndexFile) => IndexFile | undefined,
): Promise<boolean> {
  return withFileLock({ path: paths.imagesLock, kind: 'exclusive', signal }, async () => {
    const changed = change(await readIndexFile(paths.index));
    if (changed === undefined) return false;
    const bytes = encodeIndexFile(changed);
    const write = async (): Promise<void> => writeFileAtomic(paths.index, bytes, 0o644);
    await (spendReserve ? withSpaceReserve(paths, write) : write());
    await keepReserve(paths, bytes.length);
    return true;
  });
}

/** Undefined if the index says so already. In an OCI layout a name stands for one thing, so another tool's entry of that name goes. */
function withRecord({ rest, entries }: IndexFile, record: ImageRecord): IndexFile | undefined {
  const replaced = (entry: IndexEntry): boolean =>
    record.name === undefined ? isUnnamed(entry, record.manifest) : entryName(entry) === record.name;
  const at = entries.findIndex(replaced);
  const previous = entries[at];
  // What is protected without a name is so with the one that it gets.
  const isProtected = entries.some(
    (other) => (replaced(other) || isUnnamed(other, record.manifest)) && isProtectedEntry(other),
  );
  const entry = withProtection(encodeRecord(record, previous), isProtected);
  const unnamed = previous === undefined ? [] : leftWithoutName(previous, record, entries);
  // With a name again, it needs no entry without one.
  const others = entries.filter((other) => !replaced(other) && !isUnnamed(other, record.manifest));
  const unchanged = previous !== undefined && JSON.stringify(previous.value) === JSON.stringify(entry.value);
  if (unchanged && others.length === entries.length - 1) return undefined;
  const place = at === -1 ? others.length : at;
  return { rest, entries: [...others.slice(0, place), entry, ...others.slice(place), ...unnamed] };
}

function isUnnamed(entry: IndexEntry, manifest: Digest): boolean {
  return isOwnEntry(entry) && entryName(entry) === undefined && manifestOf(entry) === manifest;
}

/** What `previous` stood for, as an entry without a name, if it has no other entry. */
function leftWithoutName(previous: IndexEntry, record: ImageRecord, entries: readonly IndexEntry[]): IndexEntry[] {
  if (!isOwnEntry(previous)) return [];
  const manifest = manifestOf(previous);
  if (manifest === record.manifest) return [];
  if (entries.some((entry) => entry !== previous && isOwnEntry(entry) && manifestOf(entry) === manifest)) return [];
  try {
    const image = parseRecord(previous, 'index.json');
    return isUnchanged(previous, image) ? [encodeRecord({ ...image, name: undefined }, undefined)] : [];
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return []; // nobody can tell what it was, and `set` repairs it
    throw error;
  }
}

/** Another process may have put a blob there and not yet made sure that it stays: no name may outlive it. */
async function requireContent({ blobs }: InternalPaths, { name, target, manifest }: ImageRecord): Promise<void> {
  const wanted = [target.digest, manifest];
  for (const digest of wanted) {
    if (existsSync(blobPath(blobs, digest))) continue;
    throw damaged(name ?? manifest, `its manifest ${digest} is not in the store`, { hint: PULL_AGAIN });
  }
  for (const folder of new Set(wanted.map((digest) => dirname(blobPath(blobs, digest))))) await syncFolder(folder);
}
