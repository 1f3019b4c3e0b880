import fs from 'node:fs';
import { join } from 'node:path';

import { diskError, hasErrno } from '../fs/disk-error.ts';
import { isTemporaryName } from '../fs/write-file-atomic.ts';
import { digestFromHex, isDigest } from '../oci/digest.ts';
import { isLayoutName, type InternalPaths } from './layout.ts';

const ALGORITHMS = ['sha256', 'sha512'];

/**
 * Paths, from the root of the store, of what no part of it has put there: beside its folders, among the blobs and among the layers.
 * What commands that were killed have left, and the next garbage collection removes, is not among them.
 */
export function findExtras(paths: InternalPaths): string[] {
  return [
    ...extrasIn(paths.root, '.', (name) => isLayoutName(name) || isTemporaryName(name)),
    ...extrasIn(paths.root, 'blobs', (name) => ALGORITHMS.includes(name)),
    ...ALGORITHMS.flatMap((algorithm) =>
      extrasIn(paths.root, join('blobs', algorithm), (name) => isDigest(`${algorithm}:${name}`)),
    ),
    ...extrasIn(paths.root, 'layers', (name) => digestFromHex(name) !== undefined || IN_PROGRESS.test(name)),
  ];
}

/** The lock of a layer that is being unpacked, and the folder that it is unpacked into. */
const IN_PROGRESS = /^\.(lock-[0-9a-f]+|tmp-[0-9a-f]+-[0-9a-f]+)$/;

function extrasIn(root: string, folder: string, belongs: (name: string) => boolean): string[] {
  return namesIn(join(root, folder))
    .filter((name) => !belongs(name))
    .map((name) => join(folder, name));
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return []; // what should be in there is missed one by one
    throw diskError(error, 'read', folder);
  }
}
