import { ToolError } from '../errors.ts';
import { familiarName, formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import { printable } from '../printable.ts';
import { PULL_AGAIN } from '../store/damaged.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { createLease } from '../store/leases.ts';
import { openEngine } from './engine.ts';
import type { Engine, EngineOptions } from './engine.ts';
import { findImage, noSuchImage } from './find-image.ts';
import { imageDamage } from './image-damage.ts';
import { readLocalImage } from './local-image.ts';

export interface TagOptions extends EngineOptions {
  signal?: AbortSignal | undefined;
}

/**
 * Gives an image in the store one more name, `latest` where `target` has no tag; answers the canonical name. A name that stood
 * for another image goes over, and an image that loses its last name by that stays, without one. Asks no registry.
 * @param source name or ID
 * @throws {ToolError} ERR_REFERENCE, ERR_NO_SUCH_IMAGE, ERR_STORE_DAMAGED if not all of the image is there and readable,
 * ERR_CONFLICT if `target` is protected and stands for another image
 */
export async function tag(source: string, target: string, options: TagOptions = {}): Promise<string> {
  const name = targetName(target);
  const { signal } = options;
  const engine = await openEngine(options);
  const record = await findSource(engine, source);
  const lease = await createLease(engine.store, { signal });
  try {
    await lease.add(record.target.digest, record.manifest); // before looking: what is found from now on stays
    await requireWhole(engine, source, record);
    await engine.store.images.set({ ...record, name }, { signal, spareProtected: true });
    return name;
  } finally {
    await lease.release();
  }
}

// Docker refuses names that could be read as a digest: `sha256:latest`.
const ALGORITHMS: readonly string[] = ['sha256', 'sha512'];

function targetName(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined) {
    throw new ToolError('ERR_REFERENCE', 'refusing to create a tag with a digest reference');
  }
  if (ALGORITHMS.includes(familiarName(reference))) {
    throw new ToolError('ERR_REFERENCE', 'refusing to create an ambiguous tag using digest algorithm as name');
  }
  return formatReference(withDefaultTag(reference));
}

async function findSource({ store }: Engine, text: string): Promise<ImageRecord> {
  const found = findImage(await store.images.list(), text);
  const record = found?.named ?? found?.records[0];
  if (record !== undefined) return record;
  if (!/^[0-9a-f]{64}$/.test(text)) parseReference(text); // not a name at all? Then that is what is wrong
  throw noSuchImage(text);
}

async function requireWhole({ store }: Engine, text: string, record: ImageRecord): Promise<void> {
  const image = await readLocalImage(store, record.manifest);
  const problem = image === undefined ? 'its manifest or config is not in the store' : imageDamage(store, image);
  if (problem === undefined) return;
  // Somebody may have removed it since it was found. Then it is not damaged but gone.
  if (findImage(await store.images.list(), text) === undefined) throw noSuchImage(text);
  throw new ToolError('ERR_STORE_DAMAGED', `Cannot tag "${printable(text)}": the image is damaged: ${problem}`, {
    hint: PULL_AGAIN,
  });
}
