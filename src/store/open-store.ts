import fs from 'node:fs';
import { resolve } from 'node:path';

import { diskError, hasErrno } from '../fs/disk-error.ts';
import type { Obstacle } from '../linux/obstacles.ts';
import type { Ownership } from '../linux/ownership.ts';
import { adoptFormat } from './adopt-format.ts';
import { createBlobStore, type BlobStore } from './blob-store.ts';
import { checkRoot, unusable } from './check-root.ts';
import { createStore, makeFolders } from './create-store.ts';
import { createImageStore, type ImageStore } from './image-store.ts';
import { FOLDERS, storePaths, type InternalPaths, type StorePaths } from './layout.ts';
import { parseFormat, type StoreFormat } from './store-format.ts';

/** An OCI image layout with what this engine adds to it. */
export interface Store {
  /** Absolute. */
  root: string;
  blobs: BlobStore;
  images: ImageStore;
  format: StoreFormat;
  paths: StorePaths;
}

export interface OpenStoreOptions {
  /** With whose ids the caller unpacks layers. */
  ownership: Ownership;
  /** Why it is not a better one. */
  mappingObstacle?: Obstacle | undefined;
  /** Create and change nothing; a store that is not there is an error then. */
  readOnly?: boolean | undefined;
}

/**
 * Opens the store in the folder `root`, and makes it if it is not there.
 *
 * On the way of every command: where nothing is to be made it costs one lstat, one folder listing and one small read.
 *
 * Throws ERR_STORE for a folder that is no store, belongs to somebody else, is open to others, or was written by a newer
 * version or with other ids than the caller has; ERR_STORE_DAMAGED; ERR_NO_SPACE.
 */
export async function openStore(root: string, options: OpenStoreOptions): Promise<Store> {
  const paths = storePaths(resolve(root)); // without a slash at the end, behind which a symlink would be followed
  const { ownership, mappingObstacle, readOnly = false } = options;
  const exists = checkRoot(paths.root, { readOnly });
  let bytes = exists ? readFormat(paths) : undefined;
  if (bytes === undefined) {
    if (readOnly) throw unusable(paths.root, 'there is no store');
    await createStore(paths, ownership.kind);
    bytes = readFormat(paths) ?? Buffer.alloc(0);
  }
  const format = await adoptFormat(paths, parseFormat(bytes, paths.format), {
    ownership: ownership.kind,
    mappingObstacle,
    readOnly,
  });
  if (!readOnly) await restoreFolders(paths);
  return { root: paths.root, blobs: createBlobStore(paths), images: createImageStore(paths), format, paths };
}

function readFormat(paths: InternalPaths): Buffer | undefined {
  try {
    return fs.readFileSync(paths.format);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw diskError(error, 'read', paths.format);
  }
}

/** Somebody may have deleted `layers` to make room. What was in there is missed and made again one by one. */
async function restoreFolders(paths: InternalPaths): Promise<void> {
  const names = new Set(fs.readdirSync(paths.root));
  if (!FOLDERS.every((name) => names.has(name))) await makeFolders(paths);
}
