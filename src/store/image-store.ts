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
  entryName,
  isOwnEntry,
  isUnchanged,
  manifestOf,
  parseRecord,
  type ImageRecord,
} from './image-record.ts';
import { encodeIndexFile, readIndexFile, unreadable, type IndexEntry, type IndexFile } from './index-file.ts';
import { blobPath, type InternalPaths } from './layout.ts';
import { keepReserve, withSpaceReserve } from './space-reserve.ts';

export type { ImageRecord } from './image-record.ts';

export interface ImageChangeOptions {
  /** Ends the waiting for other processes that change names, or collect garbage. */
  signal?: AbortSignal | undefined;
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
  set(record: ImageRecord, options?: ImageChangeOptions): Promise<void>;
  /** Answers whether there was such a name. Works on a full disk. What it stood for stays until garbage is collected. */
  delete(name: string, options?: ImageChangeOptions): Promise<boolean>;
  /** The same for the entries without a name that stand for `manifest`. */
  deleteUnnamed(manifest: Digest, options?: ImageChangeOptions): Promise<boolean>;
}

export function createImageStore(paths: InternalPaths): ImageStore {
  const read = (entry: IndexEntry): ImageRecord => parseRecord(entry, `${paths.index} "${entryName(entry) ?? ''}"`);
  return {
    async get(name) {
      const { entries } = await readIndexFile(paths.index);
      const entry = entries.find((entry) => isOwnEntry(entry) && entryName(entry) === name);
      const record = entry && read(entry);
      if (entry === undefined || record === undefined || isUnchanged(entry, record)) return record;
      throw unreadable(`${paths.index} "${name}"`, 'its entry is not what was written');
    },
    async list() {
      const { entries } = await readIndexFile(paths.index);
      return entries.filter(isOwnEntry).map(read);
    },
    async set(record, { signal } = {}) {
      // Garbage collection that has read the names already must not miss this one.
      await withFileLock({ path: paths.gcLock, kind: 'shared', signal }, async () => {
        await requireContent(paths, record);
        await changeIndex(paths, { signal, spendReserve: record.name === undefined }, (index) =>
          withRecord(index, record),
        );
      });
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
  };
}

/** Undefined if no entry of ours is taken away. */
function without({ rest, entries }: IndexFile, matches: (entry: IndexEntry) => boolean): IndexFile | undefined {
  const others = entries.filter((entry) => !isOwnEntry(entry) || !matches(entry));
  return others.length === entries.length ? undefined : { rest, entries: others };
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
  const entry = encodeRecord(record, previous);
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
