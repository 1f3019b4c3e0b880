import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ToolError, isToolError } from '../../errors.ts';
import { diskError, hasErrno } from '../../fs/disk-error.ts';
import { withFileLock } from '../../fs/kernel-lock.ts';
import { digestHex } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import { layerFolder } from '../../snapshot/layers.ts';
import type { Engine } from '../engine.ts';
import type { LocalImage } from '../local-image.ts';
import { unpackLayers } from '../unpack-layers.ts';
import type { LayerToUnpack } from '../unpack-layers.ts';
import type { Repair } from './finding.ts';
import type { BlobToFetch, RefetchOptions, Refetcher } from './refetch.ts';

export interface MenderOptions extends RefetchOptions {
  /** ID of a running container that is mounted over a layer (its folder's name), if there is one. */
  runningOn: (layer: string) => string | undefined;
}

/** Repairs what is damaged, one thing at a time, and touches nothing else. Only ERR_ABORTED is thrown. */
export interface Mender {
  /** From the registry of one of the images that need it. The network is used for nothing else. */
  fetchBlob(blob: BlobToFetch): Promise<Repair>;
  /** Unpacks layers of an image again from their blobs, but none that a running container would lose its files with. */
  unpackLayers(image: LocalImage, damaged: ReadonlySet<Digest>): Promise<ReadonlyMap<Digest, Repair>>;
  /** What nothing refers to. */
  discard(path: string): Promise<Repair>;
  discardLayer(chainId: Digest): Promise<Repair>;
  /** Does `work`, which writes something again. */
  rewrite(work: () => Promise<unknown>): Promise<Repair>;
  close(): Promise<void>;
}

export function createMender(engine: Engine, options: MenderOptions): Mender {
  const { paths } = engine.store;
  let refetcher: Promise<Refetcher> | undefined;
  const attempt = async (how: DoneRepair['how'], work: () => Promise<unknown>): Promise<Repair> => {
    try {
      await work();
      return { isDone: true, how };
    } catch (error) {
      const problem = diskError(error, 'repair', engine.store.root);
      if (options.signal?.aborted === true || !isToolError(problem)) throw error;
      return { isDone: false, reason: problem.message };
    }
  };
  const takeAway = async (path: string): Promise<string> => moveToTrash(paths.trash, path);
  const takeLayer = async (chainId: Digest): Promise<string> => takeUnusedLayer(engine, options, { chainId, takeAway });
  return {
    fetchBlob: async (blob) =>
      attempt('downloaded again', async () => {
        // Only here is anything of the network loaded.
        refetcher ??= import('./refetch.ts').then(async ({ createRefetcher }) => createRefetcher(engine, options));
        await (await refetcher).fetch(blob);
      }),
    unpackLayers: async (image, damaged) => {
      const repairs = new Map<Digest, Repair>();
      const replace = new Set<Digest>();
      for (const chainId of damaged) {
        const reason = useOf(chainId, options);
        if (reason === undefined) replace.add(chainId);
        else repairs.set(chainId, { isDone: false, reason });
      }
      const repair = await attempt('unpacked again', async () =>
        unpackAgain(engine, image, { replace, takeLayer, options }),
      );
      for (const chainId of replace) repairs.set(chainId, repair);
      return repairs;
    },
    discard: async (path) => attempt('moved to the trash', async () => takeAway(path)),
    discardLayer: async (chainId) => attempt('moved to the trash', async () => takeLayer(chainId)),
    rewrite: async (work) => attempt('written again', work),
    close: async () => {
      const client = await refetcher?.catch(() => undefined); // told where it was needed
      await client?.close();
    },
  };
}

/** Answers where it is now. Somebody else may have been faster. */
async function moveToTrash(trash: string, path: string): Promise<string> {
  const away = join(trash, `${randomBytes(8).toString('hex')}-${basename(path)}`);
  try {
    await rename(path, away);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw diskError(error, 'move away', path);
  }
  return away;
}

type DoneRepair = Extract<Repair, { isDone: true }>;

interface Replacement {
  replace: ReadonlySet<Digest>;
  /** Answers where it is now. */
  takeLayer: (chainId: Digest) => Promise<string>;
  options: MenderOptions;
}

/** Each new layer is complete before the old one goes. */
async function unpackAgain(
  engine: Engine,
  image: LocalImage,
  { replace, takeLayer, options }: Replacement,
): Promise<void> {
  if (replace.size === 0) return;
  const away: string[] = [];
  try {
    await unpackLayers({
      engine,
      layers: layersOf(image),
      signal: options.signal ?? new AbortController().signal,
      onState: () => undefined,
      replace,
      moveAway: async ({ chainId }) => void away.push(await takeLayer(chainId)),
    });
  } finally {
    for (const path of away) await engine.removeFolder(path);
  }
}

function layersOf({ manifest, config, chain }: LocalImage): LayerToUnpack[] {
  return manifest.layers.flatMap((descriptor, index) => {
    const [diffId, chainId] = [config.diffIds[index], chain[index]];
    if (diffId === undefined || chainId === undefined) return []; // `checkLayersMatch` has seen to it that there are as many
    return [{ descriptor, diffId, chainId, fetched: Promise.resolve() }];
  });
}

/** Under the lock that a start of a container takes: it has recorded which layers it needs, or will miss the layer and fail. */
async function takeUnusedLayer(
  engine: Engine,
  options: MenderOptions,
  { chainId, takeAway }: { chainId: Digest; takeAway: (path: string) => Promise<string> },
): Promise<string> {
  const { gcLock, layers } = engine.store.paths;
  return withFileLock({ path: gcLock, kind: 'exclusive', signal: options.signal }, async () => {
    const reason = useOf(chainId, options);
    if (reason !== undefined) throw new ToolError('ERR_CONFLICT', `Cannot replace layer "${chainId}": ${reason}`);
    return takeAway(layerFolder(layers, chainId));
  });
}

function useOf(chainId: Digest, { runningOn }: MenderOptions): string | undefined {
  const container = runningOn(digestHex(chainId));
  if (container === undefined) return undefined;
  return `the running container ${container.slice(0, 12)} uses it: end that container, and repair again`;
}
