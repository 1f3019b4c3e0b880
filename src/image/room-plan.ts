import { isToolError } from '../errors.ts';
import { humanSize } from '../human-size.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { listPartialDownloads } from '../store/partial-downloads.ts';
import type { Engine } from './engine.ts';

/**
 * How room can be made for a pull: by what, and how much that gives. `wanted` are the layers of the pull: what is there of them
 * is no gain. Tells what is cheap to know, and so of images the most that they may give: they may share layers, and be in use.
 */
export async function roomPlan(engine: Engine, wanted: ReadonlySet<Digest>): Promise<string> {
  const idle = listPartialDownloads(engine.store.paths).filter(({ active, digest }) => !active && !wanted.has(digest));
  const images = (await readImages(engine)).filter((image) => image.protected !== true);
  const dangling = images.filter(({ name }) => name === undefined);
  const named = new Map(images.filter(({ name }) => name !== undefined).map((image) => [image.imageId, image]));
  const ways = [
    { command: 'pulls rm --all', gives: '', what: 'partial downloads', bytes: sum(idle.map(({ size }) => size)) },
    { command: 'prune', gives: 'up to ', what: 'dangling images', bytes: sizeOf(dangling) },
    { command: 'rmi', gives: 'up to ', what: 'other images', bytes: sizeOf([...named.values()]) },
  ].filter(({ bytes }) => bytes > 0);
  const elsewhere = 'another file system with --home or MYDOCKER_HOME.';
  if (ways.length === 0) return `Free some space, or use ${elsewhere}`;
  const texts = ways.map(
    ({ command, gives, what, bytes }) => `\`mydocker ${command}\` (${what}: ${gives}${humanSize(bytes, 3)})`,
  );
  return `Free some space with ${texts.join(', ')}, or use ${elsewhere}`;
}

/** None if the names cannot be read: that is for another error to tell. */
async function readImages({ store }: Engine): Promise<ImageRecord[]> {
  try {
    return await store.images.list();
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return [];
    throw error;
  }
}

function sizeOf(images: readonly ImageRecord[]): number {
  return sum(images.map(({ sizeBytes }) => sizeBytes));
}

function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
