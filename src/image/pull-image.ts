import { ToolError, isToolError } from '../errors.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { chainIds } from '../oci/chain-id.ts';
import type { Digest } from '../oci/digest.ts';
import { checkLayersMatch, parseImageConfig } from '../oci/image-config.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { MAX_DOCUMENT_BYTES } from '../oci/json.ts';
import { formatPlatform, hostPlatform, platformMatches } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import { printable } from '../printable.ts';
import { createRegistryClient } from '../registry/client.ts';
import type { RegistryOptions } from '../registry/client.ts';
import type { RemoteRepository } from '../registry/repository.ts';
import { layerFolder, statLayer } from '../snapshot/layers.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { createLease } from '../store/leases.ts';
import type { Lease } from '../store/leases.ts';
import { writeAccountFiles } from '../snapshot/account-files.ts';
import { checkSpace } from './check-space.ts';
import type { Engine } from './engine.ts';
import { fetchBlob } from './fetch-blob.ts';
import { fetchLayers } from './fetch-layers.ts';
import { imageDamage, sizeProblem } from './image-damage.ts';
import { recordUse } from './last-use.ts';
import { readIntactImage } from './local-image.ts';
import type { PulledImage, PullEvent } from './pull-event.ts';
import { resolveManifest } from './resolve-manifest.ts';
import type { ResolvedManifest } from './resolve-manifest.ts';

/** As docker's daemon does. */
const DEFAULT_DOWNLOADS = 3;

export interface PullOptions {
  /** The machine's own platform unless given. */
  platform?: Platform | undefined;
  /** Layers downloaded at a time, 3 unless given. */
  maxConcurrentDownloads?: number | undefined;
  registry?: RegistryOptions | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((event: PullEvent) => void) | undefined;
}

/**
 * Brings an image into the store: resolves the tag to a digest, copies manifest, config and layers (each verified),
 * unpacks the layers that are not cached, and sets the name last, so that a name never points at missing content.
 */
export async function pullImage(engine: Engine, name: string, options: PullOptions = {}): Promise<PulledImage> {
  const reference = withDefaultTag(parseReference(name));
  const { signal } = options;
  const client = createRegistryClient(options.registry ?? {});
  const lease = await createLease(engine.store);
  try {
    const pull = { engine, reference, lease, options, repository: client.repository(reference) };
    options.onProgress?.({ kind: 'resolving', reference });
    const result = (await findUpToDate(pull)) ?? (await pullAfresh(pull));
    options.onProgress?.({ kind: 'done', result });
    return result;
  } catch (error) {
    if (signal?.aborted === true)
      throw new ToolError('ERR_ABORTED', `Cannot pull "${familiarReference(reference)}": interrupted`, {
        cause: error,
      });
    throw error;
  } finally {
    await lease.release();
    await client.close();
  }
}

interface Pull {
  engine: Engine;
  reference: Reference;
  repository: RemoteRepository;
  lease: Lease;
  options: PullOptions;
}

/** What the name stands for now. A damaged entry is as good as none: the pull writes it anew. */
async function readRecord({ engine, reference }: Pull): Promise<ImageRecord | undefined> {
  try {
    return await engine.store.images.get(formatReference(reference));
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return undefined;
    throw error;
  }
}

function matchesWanted(platform: Platform, wanted: Platform | undefined): boolean {
  return platformMatches(platform, wanted ?? hostPlatform(process.arch));
}

/** The cached image, if the registry's tag still names it and nothing of it is missing; costs one request, none for a digest. */
async function findUpToDate(pull: Pull): Promise<PulledImage | undefined> {
  const { engine, reference, repository, options } = pull;
  const record = await readRecord(pull);
  if (record === undefined || !matchesWanted(record.platform, options.platform)) return undefined;
  const image = await readIntactImage(engine.store, record.manifest);
  if (image === undefined || imageDamage(engine.store, image) !== undefined) return undefined;
  if (sizeProblem(engine.store.blobs.path(record.target.digest), record.target.size) !== undefined) return undefined;
  if (reference.digest === undefined) {
    // A hint, trusted only to say that nothing has changed: the worst that a lie can do is to keep what is here.
    const current = await repository.headManifest(reference.tag ?? 'latest', { signal: options.signal });
    if (current !== record.target.digest) return undefined;
  }
  recordUse(engine.store, record.manifest);
  return pulled(reference, record, true);
}

async function pullAfresh(pull: Pull): Promise<PulledImage> {
  const { engine, reference, repository, lease, options } = pull;
  const { signal } = options;
  const platform = options.platform ?? hostPlatform(process.arch);
  const first = await repository.getManifest(reference.digest ?? reference.tag ?? 'latest', { signal });
  const resolved = await resolveManifest(first, { repository, reference, platform, signal });
  const { manifest, documents } = resolved;
  const contents = [...documents.map(({ descriptor }) => descriptor), manifest.config, ...manifest.layers];
  await lease.add(...contents.map(({ digest }) => digest));
  const config = await fetchConfig(pull, resolved);
  checkPlatform(reference, config, options.platform);
  await checkSpace({ engine, reference, manifest, config });
  for (const { descriptor, bytes } of documents) await engine.store.blobs.put(descriptor, bytes);
  const { onProgress } = options;
  const maxConcurrentDownloads = options.maxConcurrentDownloads ?? DEFAULT_DOWNLOADS;
  await fetchLayers({ engine, repository, reference, manifest, config, maxConcurrentDownloads, signal, onProgress });
  return nameImage(pull, resolved, config);
}

/** The image config, from the registry only if it is not in the store; its layers must be those of the manifest. */
async function fetchConfig(pull: Pull, { manifest }: ResolvedManifest): Promise<ImageConfig> {
  const { blobs } = pull.engine.store;
  const descriptor = manifest.config;
  if (descriptor.size > MAX_DOCUMENT_BYTES) {
    throw new ToolError(
      'ERR_LIMIT',
      `Cannot pull "${familiarReference(pull.reference)}": its config has ${descriptor.size} bytes, and the limit is ${MAX_DOCUMENT_BYTES}`,
    );
  }
  const signal = pull.options.signal ?? new AbortController().signal;
  await fetchBlob({ blobs, repository: pull.repository, reference: pull.reference, descriptor, signal });
  const config = parseImageConfig(await blobs.read(descriptor, MAX_DOCUMENT_BYTES));
  checkLayersMatch(manifest, config);
  return config;
}

/** With `--platform`, an image that has no index must be for that platform as well. */
function checkPlatform(reference: Reference, config: ImageConfig, wanted: Platform | undefined): void {
  if (config.os !== 'linux') {
    throw new ToolError(
      'ERR_PLATFORM',
      `Cannot pull "${familiarReference(reference)}": image operating system "${printable(config.os)}" cannot be used on this platform: linux is needed`,
    );
  }
  if (wanted === undefined || config.architecture === '' || platformMatches(config, wanted)) return;
  throw new ToolError(
    'ERR_PLATFORM',
    `Cannot pull "${familiarReference(reference)}": the image does not match the specified platform: wanted ${formatPlatform(wanted)}, actual: ${formatPlatform(config)}`,
  );
}

/** The last step: from here on the name points at the new image, all of which is there. */
async function nameImage(pull: Pull, resolved: ResolvedManifest, config: ImageConfig): Promise<PulledImage> {
  const { engine, reference } = pull;
  const chain = chainIds(config.diffIds);
  const record: ImageRecord = {
    name: formatReference(reference),
    target: resolved.target,
    manifest: resolved.descriptor.digest,
    imageId: resolved.manifest.config.digest,
    platform: platformOf(pull, resolved, config),
    created: config.created,
    sizeBytes: unpackedSize(engine.store.paths.layers, chain),
  };
  const { paths, format } = engine.store;
  const folders = chain.map((chainId) => layerFolder(paths.layers, chainId));
  // The lock tells garbage collection that the temporary files beside the tree are somebody's.
  await withFileLock({ path: paths.gcLock, kind: 'shared', signal: pull.options.signal }, async () =>
    writeAccountFiles(folders, format.whiteouts),
  );
  const before = await readRecord(pull);
  recordUse(engine.store, record.manifest);
  await engine.store.images.set(record);
  const upToDate = before?.manifest === record.manifest && before.target.digest === record.target.digest;
  return pulled(reference, record, upToDate);
}

/** What the image says it is for; some builders leave that out, and then it is what was asked for. */
function platformOf({ options }: Pull, { platform }: ResolvedManifest, config: ImageConfig): Platform {
  const { os, architecture, variant } = config;
  return architecture === ''
    ? (platform ?? options.platform ?? hostPlatform(process.arch))
    : { os, architecture, variant };
}

function unpackedSize(layers: string, chain: Digest[]): number {
  let size = 0;
  for (const chainId of chain) size += statLayer(layers, chainId)?.size ?? 0;
  return size;
}

function pulled(reference: Reference, record: ImageRecord, upToDate: boolean): PulledImage {
  const { target, manifest, imageId, platform } = record;
  return {
    reference,
    name: formatReference(reference),
    digest: target.digest,
    manifestDigest: manifest,
    imageId,
    platform,
    upToDate,
  };
}
