import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

import { withDiskErrors } from '../fs/disk-error.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { writeFileAtomic } from '../fs/write-file-atomic.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { encodeRecord, entryName, isOwnEntry, manifestOf, type ImageRecord } from './image-record.ts';
import { encodeIndexFile } from './index-file.ts';
import { storePaths } from './layout.ts';
import { salvageEntries } from './salvage-entries.ts';

/** How many names are left, and how many images that have lost theirs. */
export interface RestoredIndex {
  names: number;
  unnamed: number;
}

/**
 * Writes an `index.json` anew that cannot be read: with the entries of it that are still good, and an entry without a name for
 * each of `images` that has none of those, so that garbage collection leaves it alone. The damaged file goes to the trash.
 * Call with a lease on everything. Throws ERR_NO_SPACE, ERR_STORE, ERR_ABORTED.
 */
export async function restoreIndex(
  root: string,
  images: readonly ImageRecord[],
  signal?: AbortSignal,
): Promise<RestoredIndex> {
  const paths = storePaths(root);
  return withDiskErrors('restore', paths.index, async () =>
    withFileLock({ path: paths.imagesLock, kind: 'exclusive', signal }, async () => {
      const text = fs.existsSync(paths.index) ? fs.readFileSync(paths.index, 'utf8') : '';
      const saved = salvageEntries(text);
      const kept = new Set(saved.map(manifestOf));
      const unnamed = images.filter(({ manifest }) => !kept.has(manifest));
      const entries = [...saved, ...unnamed.map((image) => encodeRecord({ ...image, name: undefined }, undefined))];
      fs.writeFileSync(join(paths.trash, `${randomBytes(8).toString('hex')}-index.json`), text);
      await writeFileAtomic(paths.index, encodeIndexFile({ rest: EMPTY, entries }), 0o644);
      const names = saved.filter((entry) => isOwnEntry(entry) && entryName(entry) !== undefined).length;
      return { names, unnamed: unnamed.length };
    }),
  );
}

const EMPTY = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex };
