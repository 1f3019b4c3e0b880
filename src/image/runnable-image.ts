import { ToolError, isToolError } from '../errors.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { formatPlatform, platformMatches } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { printable } from '../printable.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { Store } from '../store/open-store.ts';
import type { Engine } from './engine.ts';
import { findImage } from './find-image.ts';
import { imageDamage, sizeProblem } from './image-damage.ts';
import { isUnusable, layerFoldersOf, readLocalImage } from './local-image.ts';
import type { LocalImage } from './local-image.ts';

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

export interface FindRunnableOptions {
  /** Any, unless given. */
  platform?: Platform | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The cached image that `text` names, or undefined if it is not in the store, or is for another platform than the one asked for.
 * Looks whether all of it is there, but reads nothing but manifest, config and each layer's `done`. Never uses the network, and libc only
 * once something is wrong.
 * @throws {ToolError} ERR_STORE_DAMAGED, with the remedy, if something of it is missing or not what it should be
 */
export async function findRunnableImage(
  engine: Engine,
  text: string,
  { platform, signal }: FindRunnableOptions = {},
): Promise<RunnableImage | undefined> {
  try {
    return await find(engine, text, platform);
  } catch (error) {
    if (!isToolError(error, 'ERR_STORE_DAMAGED')) throw error;
  }
  // It may have been removed while it was being looked at. Nothing is deleted while somebody has this lock (which takes libc).
  const lock = { path: engine.store.paths.gcLock, kind: 'shared', signal } as const;
  return withFileLock(lock, async () => find(engine, text, platform));
}

async function find(engine: Engine, text: string, wanted: Platform | undefined): Promise<RunnableImage | undefined> {
  const found = findImage(await engine.store.images.list(), text);
  const record = found?.named ?? found?.records[0];
  if (record === undefined) return undefined;
  if (wanted !== undefined && !platformMatches(record.platform, wanted)) {
    if (found?.named === undefined) throw wrongPlatform(text, record, wanted);
    return undefined;
  }
  return readRunnableImage(engine.store, record, text);
}

async function readRunnableImage(store: Store, record: ImageRecord, text: string): Promise<RunnableImage> {
  const { manifest, target, platform } = record;
  const image = await readImage(store, record, text);
  const targetProblem = sizeProblem(store.blobs.path(target.digest), target.size);
  const damage = targetProblem === undefined ? imageDamage(store, image) : `${target.digest}: ${targetProblem}`;
  if (damage !== undefined) throw damagedImage(text, record, new Error(damage));
  const { imageId, config } = image;
  return { name: text, imageId, manifest, platform, config, layerFolders: layerFoldersOf(store, image) };
}

async function readImage(store: Store, record: ImageRecord, text: string): Promise<LocalImage> {
  let image;
  try {
    image = await readLocalImage(store, record.manifest);
  } catch (error) {
    if (isUnusable(error)) throw damagedImage(text, record, error);
    throw error;
  }
  if (image !== undefined) return image;
  throw damagedImage(text, record, new Error('its manifest or its config is not in the store'));
}

function damagedImage(text: string, { name }: ImageRecord, cause: Error): ToolError {
  const again = name === undefined ? '' : `, or pull it again: mydocker pull ${printable(name)}`;
  return new ToolError('ERR_STORE_DAMAGED', `Cannot run "${printable(text)}": the image is damaged: ${cause.message}`, {
    hint: `To download and unpack only what is damaged: mydocker verify --repair ${printable(text)}${again}`,
    cause,
  });
}

function wrongPlatform(text: string, { platform }: ImageRecord, wanted: Platform): ToolError {
  return new ToolError(
    'ERR_PLATFORM',
    `Cannot use image "${printable(text)}": it does not match the specified platform: wanted ${formatPlatform(wanted)}, actual: ${formatPlatform(platform)}`,
  );
}
