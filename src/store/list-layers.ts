import fs from 'node:fs';

import { diskError, hasErrno } from '../fs/disk-error.ts';
import { isDigest, type Digest } from '../oci/digest.ts';

// By the length of its name: the chain ID of the lowest layer is its diff ID, which may be of either algorithm.
const ALGORITHMS: ReadonlyMap<number, string> = new Map([
  [64, 'sha256'],
  [128, 'sha512'],
]);

/** Chain IDs of what is in `layers/`. What has no chain ID for a name is no layer: a lock, or one that is being unpacked. */
export function listLayers(folder: string): Digest[] {
  return namesIn(folder)
    .map(chainIdOf)
    .filter((chainId) => chainId !== undefined);
}

/** The chain ID that a name in `layers/` stands for. */
export function chainIdOf(name: string): Digest | undefined {
  const digest = `${ALGORITHMS.get(name.length)}:${name}`;
  return isDigest(digest) ? digest : undefined;
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return []; // somebody has made room
    throw diskError(error, 'read', folder);
  }
}
