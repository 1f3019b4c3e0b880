import type { ToolError } from '../errors.ts';
import { isToolError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatReference } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import { downloadBlob } from '../registry/download-blob.ts';
import type { RegistryHost } from '../registry/registry-hosts.ts';
import type { RemoteRepository } from '../registry/repository.ts';
import type { BlobStore } from '../store/blob-store.ts';

/** Wrong bytes may come from a broken cache on the way, once; twice is the registry's content. */
const CONTENT_TRIES = 2;

export interface FetchBlobOptions {
  blobs: BlobStore;
  repository: RemoteRepository;
  descriptor: Descriptor;
  /** The image that it is for. */
  reference: Reference;
  signal: AbortSignal;
  /** See IngestOptions. */
  replace?: boolean | undefined;
  /** Bytes that are there, of `descriptor.size`. */
  onProgress?: ((current: number) => void) | undefined;
  /** A try failed; the next one is in `seconds`. */
  onRetry?: ((seconds: number) => void) | undefined;
  /** All bytes are there and are being verified. */
  onVerify?: (() => void) | undefined;
}

/**
 * Copies one blob from the registry into the store, from where an earlier try stopped.
 * Answers whether anything was downloaded: false if the blob is there by now.
 * A mirror that had a part in wrong bytes is not asked for this blob again.
 * @throws {IntegrityError} if the content is not what the descriptor says, and was not on a second try
 */
export async function fetchBlob(options: FetchBlobOptions): Promise<boolean> {
  const avoid = new Set<RegistryHost>();
  for (let tries = 1; ;) {
    const outcome = await tryFetch(options, avoid);
    if (outcome.kind !== 'wrong') return outcome.kind === 'downloaded';
    const last = (await options.repository.blobHosts()).at(-1);
    const mirrors = outcome.asked.filter((host) => host !== last);
    if (mirrors.length === 0 && tries >= CONTENT_TRIES) throw outcome.error;
    if (mirrors.length === 0) tries += 1;
    for (const mirror of mirrors) avoid.add(mirror);
  }
}

type Outcome =
  | { kind: 'present' }
  | { kind: 'downloaded' }
  /** `asked`: the hosts whose bytes were together not the blob; none where each of them failed for itself. */
  | { kind: 'wrong'; error: ToolError; asked: RegistryHost[] };

async function tryFetch(options: FetchBlobOptions, avoid: ReadonlySet<RegistryHost>): Promise<Outcome> {
  const { blobs, repository, descriptor, reference, signal, replace, onProgress, onRetry } = options;
  const ingest = await blobs.ingest(descriptor, { signal, replace, reference: formatReference(reference) });
  if (ingest === undefined) return { kind: 'present' };
  let asked: RegistryHost[] = [];
  try {
    asked = [...(await downloadBlob({ repository, descriptor, sink: ingest, avoid, signal, onProgress, onRetry }))];
  } catch (error) {
    if (!isToolError(error, 'ERR_INTEGRITY')) {
      await ingest.suspend();
      throw error;
    }
    await ingest.discard();
    return { kind: 'wrong', error, asked };
  }
  options.onVerify?.();
  try {
    await ingest.commit();
    return { kind: 'downloaded' };
  } catch (error) {
    if (!isToolError(error, 'ERR_INTEGRITY')) throw error;
    return { kind: 'wrong', error, asked };
  }
}
