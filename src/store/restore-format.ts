import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

import { isToolError } from '../errors.ts';
import { withDiskErrors } from '../fs/disk-error.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { writeFileAtomic } from '../fs/write-file-atomic.ts';
import type { Ownership } from '../linux/ownership.ts';
import { checkRoot } from './check-root.ts';
import { damaged } from './damaged.ts';
import { storePaths, type InternalPaths } from './layout.ts';
import { listLayers } from './list-layers.ts';
import { encodeFormat, formatFor, parseFormat } from './store-format.ts';

/**
 * Writes a damaged or missing `store.json` anew, and answers what was wrong with it; undefined if nothing was, or if there is no
 * store yet. Nobody can tell any more with whose ids the layers were unpacked: they are moved to the trash, and can be unpacked
 * again from their blobs. Names, blobs and containers stay.
 *
 * Throws ERR_STORE for a newer version's; ERR_STORE_DAMAGED, and does nothing, if there are containers, which need their layers.
 */
export async function restoreFormat(root: string, ownership: Ownership['kind']): Promise<string | undefined> {
  const paths = storePaths(root);
  if (!checkRoot(root, { readOnly: false }) || !fs.existsSync(paths.blobs)) return undefined;
  return withDiskErrors('restore', paths.format, async () =>
    withFileLock({ path: paths.gcLock, kind: 'exclusive' }, async () =>
      withFileLock({ path: paths.imagesLock, kind: 'exclusive' }, async () => restore(paths, ownership)),
    ),
  );
}

async function restore(paths: InternalPaths, ownership: Ownership['kind']): Promise<string | undefined> {
  const problem = formatProblem(paths.format);
  if (problem === undefined) return undefined;
  const layers = listLayers(paths.layers);
  if (layers.length > 0 && hasContainers(paths.containers)) {
    const hint =
      'Restore it from a backup, or remove all containers from the folder "containers" beside it, and try again.';
    throw damaged(paths.format, 'without it nobody can tell how the layers were unpacked that containers use', {
      hint,
    });
  }
  if (layers.length > 0) {
    fs.mkdirSync(paths.trash, { recursive: true, mode: 0o700 });
    fs.renameSync(paths.layers, join(paths.trash, randomBytes(8).toString('hex')));
    fs.mkdirSync(paths.layers, { mode: 0o700 });
  }
  await writeFileAtomic(paths.format, encodeFormat(formatFor(ownership)), 0o644);
  return problem;
}

function formatProblem(path: string): string | undefined {
  if (!fs.existsSync(path)) return 'it is not there';
  try {
    parseFormat(fs.readFileSync(path), path);
    return undefined;
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return error.message;
    throw error;
  }
}

function hasContainers(containers: string): boolean {
  return fs.existsSync(containers) && fs.readdirSync(containers).some((name) => /^[0-9a-f]{64}$/.test(name));
}
