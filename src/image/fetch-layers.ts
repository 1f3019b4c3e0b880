import type { Descriptor } from '../oci/descriptor.ts';
import { chainIds } from '../oci/chain-id.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { ImageManifest } from '../oci/manifest.ts';
import type { Reference } from '../oci/reference.ts';
import type { RemoteRepository } from '../registry/repository.ts';
import { statLayer } from '../snapshot/layers.ts';
import { blobProblem } from '../store/blob-problem.ts';
import type { Engine } from './engine.ts';
import { fetchBlob } from './fetch-blob.ts';
import { createPlaces } from './places.ts';
import type { TakePlace } from './places.ts';
import type { LayerState, PullEvent } from './pull-event.ts';
import { unpackLayers } from './unpack-layers.ts';

export interface FetchLayersOptions {
  engine: Engine;
  repository: RemoteRepository;
  reference: Reference;
  manifest: ImageManifest;
  config: ImageConfig;
  maxConcurrentDownloads: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((event: PullEvent) => void) | undefined;
}

/**
 * Downloads the layers' blobs, a few at a time, and unpacks each as soon as it is verified and the ones below it have begun.
 * The first failure ends all the rest; blobs that are verified by then stay.
 */
export async function fetchLayers(options: FetchLayersOptions): Promise<void> {
  const { engine, manifest, config } = options;
  options.onProgress?.({ kind: 'layers', layers: manifest.layers });
  const abort = new AbortController();
  const signal = options.signal === undefined ? abort.signal : AbortSignal.any([options.signal, abort.signal]);
  const stopAllIfFails = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      abort.abort(error);
      throw error;
    }
  };
  const chain = chainIds(config.diffIds);
  const fetched = startDownloads({ ...options, toUnpack: blobsToUnpack(options, chain) }, signal);
  const layers = manifest.layers.map((descriptor, index) => ({
    descriptor,
    diffId: at(config.diffIds, index),
    chainId: at(chain, index),
    fetched: at(fetched, index),
  }));
  const unpacked = unpackLayers({
    engine,
    layers,
    signal,
    onState: ({ descriptor }, state, current) => report(options, descriptor, { state, current }),
  });
  const all = [...fetched, unpacked].map(stopAllIfFails);
  await Promise.allSettled(all);
  await Promise.all(all).catch(() => {
    throw signal.reason; // the first failure, or the caller's abort; the others only followed from it
  });
}

interface DownloadOptions extends FetchLayersOptions {
  /** Blobs whose content will be read. */
  toUnpack: ReadonlySet<Digest>;
}

/** Of the layers that are not unpacked. */
function blobsToUnpack({ engine, manifest }: FetchLayersOptions, chain: readonly Digest[]): Set<Digest> {
  const { layers } = engine.store.paths;
  const missing = manifest.layers.filter((_, index) => statLayer(layers, at(chain, index)) === undefined);
  return new Set(missing.map(({ digest }) => digest));
}

/** One promise per layer, in order; a blob that stands in the manifest twice is downloaded once. */
function startDownloads(options: DownloadOptions, signal: AbortSignal): Array<Promise<void>> {
  const takePlace = createPlaces(options.maxConcurrentDownloads);
  const started = new Map<Digest, Promise<void>>();
  const downloads: Array<Promise<void>> = [];
  for (const descriptor of options.manifest.layers) {
    const download = started.get(descriptor.digest) ?? fetchLayer(descriptor, options, { takePlace, signal });
    started.set(descriptor.digest, download);
    downloads.push(download);
  }
  return downloads;
}

interface DownloadTurn {
  takePlace: TakePlace;
  signal: AbortSignal;
}

async function fetchLayer(descriptor: Descriptor, options: DownloadOptions, turn: DownloadTurn): Promise<void> {
  const { blobs } = options.engine.store;
  const total = descriptor.size;
  const isThere = await blobs.has(descriptor);
  const replace = isThere && (await isDamaged(descriptor, options, turn));
  if (isThere && !replace) {
    report(options, descriptor, { state: 'exists' });
    return;
  }
  report(options, descriptor, { state: 'waiting' });
  const givePlaceBack = await turn.takePlace();
  try {
    turn.signal.throwIfAborted();
    report(options, descriptor, { state: 'downloading', current: 0, total });
    await fetchBlob({
      blobs,
      repository: options.repository,
      reference: options.reference,
      descriptor,
      signal: turn.signal,
      replace,
      onProgress: (current) => report(options, descriptor, { state: 'downloading', current, total }),
      onRetry: (seconds) => report(options, descriptor, { state: 'retrying', seconds }),
      onVerify: () => report(options, descriptor, { state: 'verifying' }),
    });
    report(options, descriptor, { state: 'downloaded' });
  } finally {
    givePlaceBack();
  }
}

/** Hashed only if a layer is to be made of it: one that is unpacked already needs nothing but the size to be right. */
async function isDamaged({ digest }: Descriptor, options: DownloadOptions, { signal }: DownloadTurn): Promise<boolean> {
  if (!options.toUnpack.has(digest)) return false;
  return (await blobProblem(options.engine.store.blobs.path(digest), digest, signal)) !== undefined;
}

interface LayerReport {
  state: LayerState;
  current?: number | undefined;
  total?: number | undefined;
  seconds?: number | undefined;
}

function report(options: FetchLayersOptions, { digest }: Descriptor, event: LayerReport): void {
  options.onProgress?.({ kind: 'layer', digest, ...event });
}

/** The lists are of one length: `checkLayersMatch` has seen to it. */
function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no item ${index} of ${list.length}`);
  return item;
}
