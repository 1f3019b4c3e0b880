import { isToolError } from '../errors.ts';
import { formatReference } from '../oci/reference.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { RegistryOptions } from '../registry/client.ts';
import type { RemoteRepository } from '../registry/repository.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { Engine } from './engine.ts';
import type { PulledImage, PullEvent } from './pull-event.ts';

export interface PullOptions {
  /** The machine's own platform unless given. */
  platform?: Platform | undefined;
  /** Layers downloaded at a time, 3 unless given. */
  maxConcurrentDownloads?: number | undefined;
  registry?: RegistryOptions | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((event: PullEvent) => void) | undefined;
}

/** A pull that has begun. */
export interface PullJob {
  engine: Engine;
  reference: Reference;
  repository: RemoteRepository;
  options: PullOptions;
}

/** What the name stands for now. A damaged entry is as good as none: the pull writes it anew. */
export async function readRecord({ engine, reference }: PullJob): Promise<ImageRecord | undefined> {
  try {
    return await engine.store.images.get(formatReference(reference));
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return undefined;
    throw error;
  }
}

export function pulled(reference: Reference, record: ImageRecord, upToDate: boolean): PulledImage {
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
