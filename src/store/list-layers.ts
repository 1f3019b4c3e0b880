import fs from 'node:fs';

import { diskError, hasErrno } from '../fs/disk-error.ts';
import { digestFromHex, type Digest } from '../oci/digest.ts';

/** Chain IDs of what is in `layers/`. What has no chain ID for a name is no layer: a lock, or one that is being unpacked. */
export function listLayers(folder: string): Digest[] {
  return namesIn(folder)
    .map(digestFromHex)
    .filter((chainId) => chainId !== undefined);
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return []; // somebody has made room
    throw diskError(error, 'read', folder);
  }
}
