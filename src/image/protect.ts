import { openEngine } from './engine.ts';
import type { EngineOptions } from './engine.ts';
import { findImage, noSuchImage } from './find-image.ts';

export interface ProtectOptions extends EngineOptions {
  signal?: AbortSignal | undefined;
}

/**
 * Protects an image: by name, that name of it; by ID, all of its names. What is protected stays when images are removed or
 * pruned, forced or not. A pull that finds a newer image under the name moves the name, and the protection with it.
 * @throws {ToolError} ERR_NO_SUCH_IMAGE, ERR_USAGE if a short ID fits several images
 */
export async function protect(nameOrId: string, options: ProtectOptions = {}): Promise<void> {
  await setProtection(nameOrId, true, options);
}

/** Ends what `protect` did; an image that is not protected stays so. Throws as `protect` does. */
export async function unprotect(nameOrId: string, options: ProtectOptions = {}): Promise<void> {
  await setProtection(nameOrId, false, options);
}

async function setProtection(nameOrId: string, isProtected: boolean, options: ProtectOptions): Promise<void> {
  const { images } = (await openEngine(options)).store;
  const found = findImage(await images.list(), nameOrId);
  const entries = found?.named === undefined ? (found?.records ?? []) : [found.named];
  let there = false;
  for (const entry of entries) there = (await images.protect(entry, isProtected, options)) || there;
  if (!there) throw noSuchImage(nameOrId); // or removed meanwhile
}
