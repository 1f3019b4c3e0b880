import { ToolError } from '../errors.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { chainIds } from '../oci/chain-id.ts';
import type { Digest } from '../oci/digest.ts';
import { checkLayersMatch, parseImageConfig } from '../oci/image-config.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { MAX_DOCUMENT_BYTES } from '../oci/json.ts';
import { formatPlatform, hostPlatform, platformMatches } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, formatReference } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import { printable } from '../printable.ts';
import { writeAccountFiles } from '../snapshot/account-files.ts';
import { layerFolder, statLayer } from '../snapshot/layers.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { createLease } from '../store/leases.ts';
import type { Lease } from '../store/leases.ts';
import { checkSpace } from './check-space.ts';
import { fetchBlob } from './fetch-blob.ts';
import { fetchLayers } from './fetch-layers.ts';
import { recordUse } from './last-use.ts';
import type { PulledImage } from './pull-event.ts';
import { pulled, readRecord, type PullJob } from './pull-job.ts';
import { resolveManifest } from './resolve-manifest.ts';
import type { ResolvedManifest } from './resolve-manifest.ts';

/** As docker's daemon does. */
const DEFAULT_DOWNLOADS = 3;

/** Resolves the tag, copies what is not in the store, unpacks what is not cached, and sets the name. */
export async function pullAfresh(job: PullJob): Promise<PulledImage> {
  const lease = await createLease(job.engine.store);
  try {
    return await pullLeased({ ...job, lease });
  } finally {
    await lease.release();
  }
}

interface Pull extends PullJob {
  lease: Lease;
}

async function pullLeased(pull: Pull): Promise<PulledImage> {
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
