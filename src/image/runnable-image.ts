import { ToolError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { formatPlatform, platformMatches } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { printable } from '../printable.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { Engine } from './engine.ts';
import { findImage } from './find-image.ts';
import { isComplete, layerFoldersOf, readLocalImage } from './local-image.ts';

/** An image that is ready to be run: all of its layers are unpacked. */
export interface RunnableImage {
  /** As the user wrote it. */
  name: string;
  imageId: Digest;
  manifest: Digest;
  platform: Platform;
  config: ImageConfig;
  /** …/layers/<chain ID>, bottom first; the tree of each is in its fs/. */
  layerFolders: string[];
}

/**
 * The cached image that `text` names, or undefined if it is not (or not completely) in the store, or is for another
 * platform than `wanted`. Uses neither the network nor libc.
 * @throws {ToolError} ERR_STORE_DAMAGED if its manifest or config is not what its digest says
 */
export async function findRunnableImage(
  engine: Engine,
  text: string,
  wanted?: Platform,
): Promise<RunnableImage | undefined> {
  const found = findImage(await engine.store.images.list(), text);
  const record = found?.named ?? found?.records[0];
  if (record === undefined) return undefined;
  if (wanted !== undefined && !platformMatches(record.platform, wanted)) {
    if (found?.named === undefined) throw wrongPlatform(text, record, wanted);
    return undefined;
  }
  const image = await readLocalImage(engine.store, record.manifest);
  if (image === undefined || !(await isComplete(engine.store, image))) return undefined;
  const { imageId, config } = image;
  return {
    name: text,
    imageId,
    manifest: record.manifest,
    platform: record.platform,
    config,
    layerFolders: layerFoldersOf(engine.store, image),
  };
}

function wrongPlatform(text: string, { platform }: ImageRecord, wanted: Platform): ToolError {
  return new ToolError(
    'ERR_PLATFORM',
    `Cannot use image "${printable(text)}": it does not match the specified platform: wanted ${formatPlatform(wanted)}, actual: ${formatPlatform(platform)}`,
  );
}
