import { openEngine } from './engine.ts';
import type { EngineOptions } from './engine.ts';
import { listImages } from './list-images.ts';
import type { ImageSummary } from './list-images.ts';

/** The images in the store, newest first: one entry per name, and one for each image that has lost its last name. */
export async function images(options: EngineOptions = {}): Promise<ImageSummary[]> {
  return listImages(await openEngine(options));
}
