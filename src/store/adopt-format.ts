import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';

import { ToolError } from '../errors.ts';
import { withDiskErrors } from '../fs/disk-error.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { writeFileAtomic } from '../fs/write-file-atomic.ts';
import { obstacleText } from '../linux/obstacles.ts';
import type { Obstacle } from '../linux/obstacles.ts';
import type { Ownership } from '../linux/ownership.ts';
import { printable } from '../printable.ts';
import type { InternalPaths } from './layout.ts';
import { encodeFormat, formatFor, type StoreFormat } from './store-format.ts';

export interface StoreCaller {
  ownership: Ownership['kind'];
  /** Why it is not a better one. */
  mappingObstacle?: Obstacle | undefined;
  readOnly: boolean;
}

/**
 * The format to go on with: the store's own, as layers of different ownership or whiteouts must not mix. A store without
 * layers takes the caller's. Throws ERR_STORE if the caller cannot use the layers that are there.
 */
export async function adoptFormat(
  paths: InternalPaths,
  format: StoreFormat,
  caller: StoreCaller,
): Promise<StoreFormat> {
  if (format.ownership === caller.ownership) return format;
  const wanted = formatFor(caller.ownership);
  if (await hasLayers(paths)) {
    // Made before the caller had subordinate ids: all files belong to the caller, who is in the map too.
    if (format.ownership === 'single' && caller.ownership === 'mapped') return format;
    throw otherOwnership(paths.root, format.ownership, caller);
  }
  if (!caller.readOnly) {
    await withFileLock({ path: paths.imagesLock, kind: 'exclusive' }, async () =>
      writeFileAtomic(paths.format, encodeFormat(wanted), 0o644),
    );
  }
  return wanted;
}

async function hasLayers(paths: InternalPaths): Promise<boolean> {
  return withDiskErrors('read', paths.layers, async () => {
    const names = existsSync(paths.layers) ? await fs.readdir(paths.layers) : [];
    return names.some((name) => !name.startsWith('.lock-'));
  });
}

const UNPACKED_BY: Record<Ownership['kind'], string> = {
  root: 'root',
  mapped: 'a user with subordinate ids (/etc/subuid, /etc/subgid, newuidmap)',
  single: 'a user without subordinate ids',
};

function otherOwnership(root: string, of: Ownership['kind'], { ownership, mappingObstacle }: StoreCaller): ToolError {
  const isMended = of === 'mapped' && mappingObstacle !== undefined;
  const remedy = isMended ? `${obstacleText(mappingObstacle)}; or use` : 'Use';
  return new ToolError(
    'ERR_STORE',
    `Cannot open store "${printable(root, Infinity)}": its layers were unpacked by ${UNPACKED_BY[of]}, and this is ${UNPACKED_BY[ownership]}`,
    { hint: `${remedy} another folder with --home or MYDOCKER_HOME.` },
  );
}
