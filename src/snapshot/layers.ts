import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withDiskErrors } from '../fs/disk-error.ts';
import { syncFolder } from '../fs/sync-folder.ts';
import { digestHex } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { inspectLayer } from './inspect-layer.ts';
import { encodeLayerInfo } from './layer-info.ts';
import type { LayerInfo } from './layer-info.ts';

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
  return `${layers}/${digestHex(chainId)}`; // join() takes as long as looking into the folder
}

/** What is known of an unpacked layer, or undefined if it is not (completely) there. As cheap, and as sure, as `inspectLayer`. */
export function statLayer(layers: string, chainId: Digest): LayerInfo | undefined {
  return inspectLayer(layerFolder(layers, chainId)).info;
}

/** Which layers are being unpacked, or were when a process died: the digits of their chain IDs. */
export async function stagedLayers(layers: string): Promise<Set<string>> {
  const staged = (await readdir(layers)).filter((name) => name.startsWith(STAGING_PREFIX));
  return new Set(staged.map((name) => name.slice(STAGING_PREFIX.length, name.lastIndexOf('-'))));
}

/** Makes an empty folder to unpack the layer `chainId` into. Throws ERR_NO_SPACE, ERR_STORE. */
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
 * Throws ERR_NO_SPACE, ERR_STORE.
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
  await withDiskErrors('write', path, async () => {
    const file = await open(path, 'wx', 0o444);
    try {
      await file.writeFile(encodeLayerInfo(info));
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

function isTaken(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}
