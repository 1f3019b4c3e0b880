import { isToolError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { downloadBlob } from '../registry/download-blob.ts';
import type { RemoteRepository } from '../registry/repository.ts';
import type { BlobStore } from '../store/blob-store.ts';

/** Wrong bytes may come from a broken cache on the way, once; twice is the registry's content. */
const CONTENT_TRIES = 2;

export interface FetchBlobOptions {
  blobs: BlobStore;
  repository: RemoteRepository;
  descriptor: Descriptor;
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
 * @throws {IntegrityError} if the content is not what the descriptor says, and was not on a second try
 */
export async function fetchBlob(options: FetchBlobOptions): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryFetch(options);
    } catch (error) {
      if (tries >= CONTENT_TRIES || !isToolError(error, 'ERR_INTEGRITY')) throw error;
    }
  }
}

async function tryFetch(options: FetchBlobOptions): Promise<boolean> {
  const { blobs, repository, descriptor, signal, replace, onProgress, onRetry } = options;
  const ingest = await blobs.ingest(descriptor, { signal, replace });
  if (ingest === undefined) return false;
  try {
    await downloadBlob({ repository, descriptor, sink: ingest, signal, onProgress, onRetry });
  } catch (error) {
    if (isToolError(error, 'ERR_INTEGRITY')) await ingest.discard();
    else await ingest.suspend();
    throw error;
  }
  options.onVerify?.();
  await ingest.commit();
  return true;
}
