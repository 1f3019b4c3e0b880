import { openEngine } from '../../image/engine.ts';
import { imageLabels, listImages } from '../../image/list-images.ts';
import type { ImageSummary } from '../../image/list-images.ts';
import type { StoreRequest } from '../engine-api.ts';

export async function images({ home }: StoreRequest): Promise<ImageSummary[]> {
  return listImages(await openEngine({ home }));
}

export async function labels(image: ImageSummary, { home }: StoreRequest): Promise<Readonly<Record<string, string>>> {
  return imageLabels(await openEngine({ home }), image.manifestDigest);
}
