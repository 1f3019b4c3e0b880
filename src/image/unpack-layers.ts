import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { withDiskErrors } from '../fs/disk-error.ts';
import { createUnpackChildren, type UnpackChildren } from '../layer/unpack-children.ts';
import { unpackLayer } from '../layer/unpack-layer.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { writeAccountFiles } from '../snapshot/account-files.ts';
import { lockLayer } from '../snapshot/layer-lock.ts';
import { layerFolder, publishLayer, stageLayer, statLayer } from '../snapshot/layers.ts';
import type { StagedLayer } from '../snapshot/layers.ts';
import type { Engine } from './engine.ts';
import { createPlaces } from './places.ts';
import type { TakePlace } from './places.ts';

/** One layer to unpack, once its blob is in the store. */
export interface LayerToUnpack {
  descriptor: Descriptor;
  diffId: Digest;
  chainId: Digest;
  /** Settles when the blob is in the store. */
  fetched: Promise<void>;
}

export interface UnpackLayersOptions {
  engine: Engine;
  /** Bottom first. */
  layers: LayerToUnpack[];
  signal: AbortSignal;
  /** `current` is how many bytes of the blob have been read. */
  onState(layer: LayerToUnpack, state: 'extracting' | 'complete', current?: number): void;
  onWarning?: ((message: string) => void) | undefined;
  /** Layers that are unpacked again although they look complete. */
  replace?: ReadonlySet<Digest> | undefined;
  /** Moves such a layer out of the way of the new one, or throws. */
  moveAway?: ((layer: LayerToUnpack) => Promise<void>) | undefined;
}

/** A layer that has a folder: complete already, or about to be. */
interface BegunLayer {
  /** Where its tree is at this moment: in a staging folder until the layer is published, which renames that. */
  tree: () => string;
  published: Promise<void>;
}

/**
 * Unpacks what is not unpacked yet, several layers at once, and publishes them bottom first.
 * A layer may need to look at the ones below it (attributes of folders that its archive leaves out): its child process
 * opens their folders at once, and waits for them to be complete only if it comes to that.
 */
export async function unpackLayers(options: UnpackLayersOptions): Promise<void> {
  const takePlace = createPlaces(Math.max(2, availableParallelism()));
  const { layerOwnership: ownership, store } = options.engine;
  const children = createUnpackChildren({ ownership, runnerFolder: store.paths.runner });
  const begun: BegunLayer[] = [];
  try {
    for (const layer of options.layers) {
      await layer.fetched;
      options.signal.throwIfAborted();
      begun.push(await beginLayer({ layer, below: [...begun], takePlace, children, options }));
    }
    await Promise.all(begun.map(async ({ published }) => published));
  } finally {
    // Nothing is left working behind the caller's back; the first error is the one that is thrown.
    await Promise.allSettled(begun.map(async ({ published }) => published));
    await children.close();
  }
}

interface Beginning {
  layer: LayerToUnpack;
  below: BegunLayer[];
  takePlace: TakePlace;
  children: UnpackChildren;
  options: UnpackLayersOptions;
}

/** Answers as soon as the layer has a folder, so that the one above it can begin. */
async function beginLayer(beginning: Beginning): Promise<BegunLayer> {
  const { layer, takePlace, options } = beginning;
  const { layers } = options.engine.store.paths;
  const folder = layerFolder(layers, layer.chainId);
  const givePlaceBack = await takePlace();
  let lock;
  try {
    lock = await lockLayer(layers, layer.chainId, options.signal);
    if (isWanted(layer, options)) {
      const staged = await stageLayer(layers, layer.chainId);
      const held = lock;
      const published = finishLayer(staged, beginning).finally(() => {
        held.release();
        givePlaceBack();
      });
      published.catch(() => undefined); // it is awaited later; until then it must not count as unhandled
      return { tree: () => (existsSync(staged.tree) ? staged.tree : join(folder, 'fs')), published };
    }
  } catch (error) {
    lock?.release();
    givePlaceBack();
    throw error;
  }
  lock.release();
  givePlaceBack();
  options.onState(layer, 'complete');
  return { tree: () => join(folder, 'fs'), published: Promise.resolve() };
}

async function finishLayer(staged: StagedLayer, { layer, below, children, options }: Beginning): Promise<void> {
  const { store } = options.engine;
  const belowPublished = Promise.all(below.map(async ({ published }) => published)).then(() => undefined);
  belowPublished.catch(() => undefined);
  try {
    options.onState(layer, 'extracting', 0);
    const unpacked = await unpackLayer({
      blobPath: store.blobs.path(layer.descriptor.digest),
      descriptor: layer.descriptor,
      diffId: layer.diffId,
      folder: staged.tree,
      manifestPath: staged.manifest,
      lowerFolders: below.map(({ tree }) => tree()),
      lowersComplete: belowPublished,
      children,
      whiteouts: store.format.whiteouts,
      signal: options.signal,
      onProgress: (current) => options.onState(layer, 'extracting', current),
    });
    for (const warning of unpacked.warnings) options.onWarning?.(warning);
    await belowPublished;
    if (layer === options.layers.at(-1)) {
      // Published together with them: a layer that has its name is one that can be run.
      await writeAccountFiles([...below.map(({ tree }) => dirname(tree())), staged.folder], store.format.whiteouts);
    }
    await makeWay(layer, options);
    const { diffId, size, entries, manifest } = unpacked;
    const ours = await publishLayer(store.paths.layers, staged, { diffId, size, entries, manifest });
    if (!ours) await options.engine.removeFolder(staged.folder);
    options.onState(layer, 'complete');
  } catch (error) {
    await options.engine.removeFolder(staged.folder);
    throw error;
  }
}

function isWanted({ chainId }: LayerToUnpack, { engine, replace }: UnpackLayersOptions): boolean {
  return replace?.has(chainId) === true || statLayer(engine.store.paths.layers, chainId) === undefined;
}

/** The damaged layer stays until the new one is ready. A good one that somebody else has published meanwhile stays for good. */
async function makeWay(layer: LayerToUnpack, options: UnpackLayersOptions): Promise<void> {
  const { engine, moveAway } = options;
  const { layers, trash } = engine.store.paths;
  const folder = layerFolder(layers, layer.chainId);
  if (!isWanted(layer, options) || !existsSync(folder)) return;
  if (moveAway !== undefined) return moveAway(layer);
  const away = join(trash, randomBytes(8).toString('hex'));
  await withDiskErrors('remove', folder, async () => rename(folder, away));
  await engine.removeFolder(away);
}
