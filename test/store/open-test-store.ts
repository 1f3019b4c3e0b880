import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

import type { Ownership } from '../../src/linux/ownership.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';

export const ROOT: Ownership = { kind: 'root' };

/** A new store that goes away with the test. */
export async function openTestStore(): Promise<Store> {
  return openStore(join(await temporaryFolder(), 'store'), { ownership: ROOT });
}

/** Everything in a folder: path and, for a file, size. */
export function listTree(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = path.slice(folder.length + 1);
      return entry.isFile() ? `${name} ${fs.statSync(path).size}` : `${name}/`;
    })
    .sort();
}

/** I1: names of files in `blobs/` that do not have the bytes of their name. */
export function wrongBlobs(root: string): string[] {
  return ['sha256', 'sha512'].flatMap((algorithm) => {
    const folder = join(root, 'blobs', algorithm);
    if (!fs.existsSync(folder)) return [];
    return fs.readdirSync(folder).filter((name) => {
      return (
        createHash(algorithm)
          .update(fs.readFileSync(join(folder, name)))
          .digest('hex') !== name
      );
    });
  });
}
