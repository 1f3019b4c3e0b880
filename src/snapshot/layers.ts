import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withDiskErrors } from '../fs/disk-error.ts';
import { syncFolder } from '../fs/sync-folder.ts';
import { digestHex, parseDigest } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';

/** What `done` says of an unpacked layer. `size` is of the uncompressed archive, in bytes. */
export interface LayerInfo {
  diffId: Digest;
  size: number;
  entries: number;
}

/** A layer being unpacked: nobody looks into `folder` until it is published. */
export interface StagedLayer {
  chainId: Digest;
  folder: string;
  tree: string;
  manifest: string;
}

/** Starts the names of folders that are not layers yet; a chain ID never starts so. */
export const STAGING_PREFIX = '.tmp-';

/** The folder of the layer `chainId`: the tree is in `fs/`, and it is complete if `done` exists. */
export function layerFolder(layers: string, chainId: Digest): string {
  return join(layers, digestHex(chainId));
}

/** What is known of an unpacked layer, or undefined if it is not (completely) there. */
export async function statLayer(layers: string, chainId: Digest): Promise<LayerInfo | undefined> {
  const folder = layerFolder(layers, chainId);
  return withDiskErrors('read', folder, async () => {
    const text = await readFile(join(folder, 'done'), 'utf8').catch(ignoreAbsence);
    if (text === undefined) return undefined;
    const info = parseDone(text);
    // A `done` without its tree is damage; the next pull unpacks the layer again.
    const tree = await stat(join(folder, 'fs')).catch(ignoreAbsence);
    return tree?.isDirectory() === true ? info : undefined;
  });
}

/** Makes an empty folder to unpack the layer `chainId` into. */
export async function stageLayer(layers: string, chainId: Digest): Promise<StagedLayer> {
  const name = `${STAGING_PREFIX}${digestHex(chainId)}-${randomBytes(6).toString('hex')}`;
  const folder = join(layers, name);
  const tree = join(folder, 'fs');
  await withDiskErrors('create', folder, async () => {
    await mkdir(folder, { mode: 0o700 });
    await mkdir(tree, { mode: 0o755 });
  });
  return { chainId, folder, tree, manifest: join(folder, 'manifest') };
}

/**
 * Gives a staged layer its name. The caller has made the tree durable (syncfs) before.
 * Returns false if someone else has published the same layer first; the staged one is then the caller's to remove.
 */
export async function publishLayer(layers: string, staged: StagedLayer, info: LayerInfo): Promise<boolean> {
  const folder = layerFolder(layers, staged.chainId);
  return withDiskErrors('write', folder, async () => {
    await writeDone(join(staged.folder, 'done'), info);
    await syncFolder(staged.folder);
    try {
      // Synchronous: who looks for the folder at one of its two places in this process must not find it at neither.
      renameSync(staged.folder, folder);
    } catch (error) {
      if (!isTaken(error)) throw error;
      return false;
    }
    await syncFolder(layers);
    return true;
  });
}

async function writeDone(path: string, info: LayerInfo): Promise<void> {
  const file = await open(path, 'wx', 0o444);
  try {
    await file.writeFile(`${JSON.stringify(info)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

function parseDone(text: string): LayerInfo | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof LayerInfo, unknown>>;
    const { diffId, size, entries } = value;
    if (typeof diffId !== 'string' || typeof size !== 'number' || typeof entries !== 'number') return undefined;
    return { diffId: parseDigest(diffId), size, entries };
  } catch {
    return undefined; // cut or flipped: as good as not there, and the next pull replaces it
  }
}

function isTaken(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}

function ignoreAbsence(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
