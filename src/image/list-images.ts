import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarName, parseReference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { Engine } from './engine.ts';
import { readIntactImage } from './local-image.ts';

/** One row of `images`: an image has one per name, or one without a name. */
export interface ImageSummary {
  id: Digest;
  /** The canonical name, `docker.io/library/alpine:latest`; undefined for a dangling image. */
  name: string | undefined;
  /** The name as people write it, `alpine`. */
  repository: string | undefined;
  tag: string | undefined;
  /** Of the index or manifest that the name stands for. */
  digest: Digest;
  manifestDigest: Digest;
  created: Date | undefined;
  /** Unpacked, all layers, in bytes. */
  sizeBytes: number;
  platform: Platform;
  /** No name leads to it any more. */
  dangling: boolean;
  /** Neither `rmi` nor `prune` removes it. */
  protected: boolean;
}

/** Every entry of the store, newest image first, then by name. */
export async function listImages(engine: Engine): Promise<ImageSummary[]> {
  const records = await engine.store.images.list();
  return records.map(summarizeImage).sort(byAge);
}

/** The labels of an image; none if it is damaged. */
export async function imageLabels(engine: Engine, manifest: Digest): Promise<Record<string, string>> {
  return (await readIntactImage(engine.store, manifest))?.config.config.labels ?? {};
}

export function summarizeImage(record: ImageRecord): ImageSummary {
  const reference = record.name === undefined ? undefined : parseReference(record.name);
  return {
    id: record.imageId,
    name: record.name,
    repository: reference === undefined ? undefined : familiarName(reference),
    tag: reference?.tag,
    digest: record.target.digest,
    manifestDigest: record.manifest,
    created: parseCreated(record.created),
    sizeBytes: record.sizeBytes,
    platform: record.platform,
    dangling: record.name === undefined,
    protected: record.protected ?? false,
  };
}

/** The image says when it was made, in any words that it likes. */
export function parseCreated(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function byAge(a: ImageSummary, b: ImageSummary): number {
  const age = (b.created?.getTime() ?? 0) - (a.created?.getTime() ?? 0);
  if (age !== 0) return age;
  return (a.name ?? '') < (b.name ?? '') ? -1 : 1;
}
