import fs from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { withDiskErrors } from '../fs/disk-error.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { makePath } from '../fs/make-path.ts';
import { syncFolder } from '../fs/sync-folder.ts';
import { isTemporaryName, writeFileAtomic } from '../fs/write-file-atomic.ts';
import type { Ownership } from '../linux/ownership.ts';
import { unusable } from './check-root.ts';
import { BLOB_FOLDERS, FOLDERS, isLayoutName, type InternalPaths } from './layout.ts';
import { OCI_LAYOUT } from './oci-layout.ts';
import { keepReserve } from './space-reserve.ts';
import { encodeFormat, formatFor } from './store-format.ts';

const EMPTY_INDEX = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}';

/**
 * Makes a store in a folder that is missing, empty, or was being made when a crash came. Any number of processes may do so
 * at once. `store.json` comes last: where it is, everything else has been.
 *
 * Throws ERR_STORE for a folder that holds something else.
 */
export async function createStore(paths: InternalPaths, ownership: Ownership['kind']): Promise<void> {
  await withDiskErrors('create', paths.root, async () => {
    makePath(paths.root, 0o700);
    await refuseForeignFolder(paths.root);
    await fs.chmod(paths.root, 0o700);
    await withFileLock({ path: paths.imagesLock, kind: 'exclusive' }, async () => {
      if (existsSync(paths.format)) return; // somebody else was faster
      await makeFolders(paths);
      await writeIfMissing(paths.gcLock, '');
      await writeIfMissing(paths.ociLayout, OCI_LAYOUT);
      await writeIfMissing(paths.index, EMPTY_INDEX);
      await keepReserve(paths, EMPTY_INDEX.length);
      await syncFolder(paths.blobs);
      await writeFileAtomic(paths.format, encodeFormat(formatFor(ownership)), 0o644);
    });
  });
}

/** Makes the folders that are missing. */
export async function makeFolders(paths: InternalPaths): Promise<void> {
  await withDiskErrors('create', paths.root, async () => {
    for (const name of [...FOLDERS, ...BLOB_FOLDERS]) {
      await fs.mkdir(join(paths.root, name), { recursive: true, mode: 0o700 });
    }
  });
}

async function refuseForeignFolder(root: string): Promise<void> {
  for (const name of await fs.readdir(root)) {
    if (isLayoutName(name) || isTemporaryName(name)) continue;
    throw unusable(root, `it is not empty, and not a store (it has no store.json, but "${name}")`, USE_ANOTHER);
  }
  const layers = await fs.readdir(join(root, 'layers')).catch(() => []);
  if (layers.length === 0) return;
  const hint = 'To write it again: mydocker verify --repair. Names and blobs are kept, and layers are unpacked again.';
  throw unusable(root, `it has layers, but no store.json that says how they were unpacked`, hint);
}

const USE_ANOTHER = 'Name an empty folder, or one that does not exist yet, with --home or MYDOCKER_HOME.';

async function writeIfMissing(path: string, text: string): Promise<void> {
  if (!existsSync(path)) await writeFileAtomic(path, Buffer.from(text), 0o644);
}
