import { ToolError, isToolError } from '../errors.ts';
import { chainIds } from '../oci/chain-id.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { checkLayersMatch, parseImageConfig } from '../oci/image-config.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { MAX_DOCUMENT_BYTES } from '../oci/json.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { ImageManifest } from '../oci/manifest.ts';
import { layerFolder } from '../snapshot/layers.ts';
import type { Store } from '../store/open-store.ts';

/** An image as the store has it, read and verified again. */
export interface LocalImage {
  manifestDigest: Digest;
  imageId: Digest;
  manifest: ImageManifest;
  config: ImageConfig;
  /** One per layer, bottom first. */
  chain: Digest[];
}

/**
 * Reads manifest and config of an image, verifying both.
 * Undefined if either is not in the store.
 * @throws {ToolError} ERR_STORE_DAMAGED if either is not what its digest says
 */
export async function readLocalImage(store: Store, manifestDigest: Digest): Promise<LocalImage | undefined> {
  const manifest = await readLocalManifest(store, manifestDigest);
  const configBytes = manifest && (await readIfThere(store, manifest.config));
  if (manifest === undefined || configBytes === undefined) return undefined;
  const config = parseImageConfig(configBytes);
  checkLayersMatch(manifest, config);
  return { manifestDigest, imageId: manifest.config.digest, manifest, config, chain: chainIds(config.diffIds) };
}

/** Only the manifest, in the same way. */
export async function readLocalManifest(store: Store, manifestDigest: Digest): Promise<ImageManifest | undefined> {
  const stored = await store.blobs.stat(manifestDigest);
  if (stored === undefined) return undefined;
  const bytes = await readIfThere(store, { mediaType: '', digest: manifestDigest, size: stored.size });
  if (bytes === undefined) return undefined;
  const document = parseManifest(bytes, undefined);
  if (document.kind === 'manifest') return document.manifest;
  throw new ToolError(
    'ERR_STORE_DAMAGED',
    `Cannot read image "${manifestDigest}": it is an index, and a manifest was wanted`,
  );
}

/** Undefined if the blob is not in the store, or is removed with its image this very moment. */
async function readIfThere({ blobs }: Store, descriptor: Descriptor): Promise<Uint8Array | undefined> {
  try {
    return await blobs.read(descriptor, MAX_DOCUMENT_BYTES);
  } catch (error) {
    if ((await blobs.stat(descriptor.digest)) === undefined) return undefined;
    throw error;
  }
}

/** As `readLocalImage`, but a damaged image is as good as an absent one: for a pull, which replaces it. */
export async function readIntactImage(store: Store, manifestDigest: Digest): Promise<LocalImage | undefined> {
  return unlessUnusable(async () => readLocalImage(store, manifestDigest));
}

/** What `read` answers, or undefined for a document that is not what it should be. */
export async function unlessUnusable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isUnusable(error)) return undefined;
    throw error;
  }
}

/** Whether `readLocalImage` threw it for what the image is, not for a disk that fails. */
export function isUnusable(error: unknown): error is ToolError {
  return isToolError(error, 'ERR_STORE_DAMAGED', 'ERR_INTEGRITY', 'ERR_MANIFEST', 'ERR_UNSUPPORTED', 'ERR_LIMIT');
}

/** The folders of the image's layers, bottom first. */
export function layerFoldersOf(store: Store, image: LocalImage): string[] {
  return image.chain.map((chainId) => layerFolder(store.paths.layers, chainId));
}
