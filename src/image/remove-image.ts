import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { shortDigest } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { protectedImage } from '../store/protected-image.ts';
import type { Engine } from './engine.ts';
import { findImage, noSuchImage } from './find-image.ts';
import type { FoundImage } from './find-image.ts';

/** A container that was made from an image. */
export interface ImageUse {
  containerId: string;
  running: boolean;
  imageId: Digest;
}

export type RemovalEvent =
  | { kind: 'untagged'; /** As people write it: `alpine:3.19`, `alpine@sha256:…`. */ reference: string }
  | { kind: 'deleted'; /** Of the image (its config), or the chain ID of a layer. */ digest: Digest };

export interface RemoveOptions {
  force?: boolean | undefined;
  /** Containers, running or not. */
  uses: readonly ImageUse[];
  /** Frees what nothing needs any more; answers with the chain IDs of the layers that are gone. */
  sweep(): Promise<Digest[]>;
}

/**
 * Takes a name from an image or, with its last name (or by ID), deletes the image and whatever only it needed.
 * @throws {ToolError} ERR_NO_SUCH_IMAGE; ERR_CONFLICT with docker's texts if containers or other names are in the way, or if
 * any of the names is protected
 */
export async function removeImage(engine: Engine, text: string, options: RemoveOptions): Promise<RemovalEvent[]> {
  const found = findImage(await engine.store.images.list(), text);
  if (found === undefined) throw noSuchImage(text);
  const doomed = entriesToRemove(found);
  checkProtection(doomed, text);
  const last = doomed.length === found.records.length;
  if (found.named === undefined) checkNames(found, options);
  const outcome = last ? checkUses(found, text, options) : 'untag';
  // A running container still shows its image, without a name. First, so that a crash in between leaves one entry too many.
  if (last && outcome === 'untag') await engine.store.images.set({ ...anyOf(doomed), name: undefined });
  const events: RemovalEvent[] = [];
  for (const record of doomed) events.push(...(await removeEntry(engine, record)));
  if (outcome === 'untag') return events;
  const layers = await options.sweep();
  return [...events, ...[found.imageId, ...layers].map((digest): RemovalEvent => ({ kind: 'deleted', digest }))];
}

/**
 * By ID, all entries of the image. By name, that entry; and if it was the last tag of its repository, the digests of that
 * repository as well, which were only kept beside it.
 */
function entriesToRemove({ named, records }: FoundImage): ImageRecord[] {
  if (named === undefined) return records;
  if (isDigestName(named)) return [named];
  const sameRepository = records.filter((record) => repositoryOf(record) === repositoryOf(named));
  const tags = sameRepository.filter((record) => !isDigestName(record));
  return tags.length === 1 ? sameRepository : [named];
}

/** Before anything else is looked at: no force helps. */
function checkProtection(doomed: readonly ImageRecord[], text: string): void {
  const spared = doomed.find((record) => record.protected === true);
  if (spared === undefined) return;
  throw protectedImage('delete', spared.name === undefined ? text : familiarReference(parseReference(spared.name)));
}

/** By ID, docker removes several names only when forced; digests beside one tag do not count. */
function checkNames({ records, imageId }: FoundImage, { force }: RemoveOptions): void {
  const named = records.filter(({ name }) => name !== undefined);
  const repositories = new Set(named.map(repositoryOf));
  const tags = named.filter((record) => !isDigestName(record));
  if (force === true || (repositories.size <= 1 && tags.length <= 1)) return;
  throw conflict(
    `unable to delete ${shortDigest(imageId)} (must be forced) - image is referenced in multiple repositories`,
  );
}

/** Whether the image itself may go with its last name. */
function checkUses({ imageId, named }: FoundImage, text: string, { force, uses }: RemoveOptions): 'delete' | 'untag' {
  const ours = uses.filter((use) => use.imageId === imageId);
  const used = ours.find((use) => use.running) ?? ours[0];
  if (used === undefined) return 'delete';
  const id = shortDigest(imageId);
  const container = used.containerId.slice(0, 12);
  if (named === undefined && used.running) {
    throw conflict(`unable to delete ${id} (cannot be forced) - image is being used by running container ${container}`);
  }
  if (force === true) return used.running ? 'untag' : 'delete';
  throw named === undefined
    ? conflict(`unable to delete ${id} (must be forced) - image is being used by stopped container ${container}`)
    : conflict(
        `unable to remove repository reference "${printable(text)}" (must force) - container ${container} is using its referenced image ${id}`,
      );
}

async function removeEntry(engine: Engine, record: ImageRecord): Promise<RemovalEvent[]> {
  const { images } = engine.store;
  if (record.name === undefined) {
    await images.deleteUnnamed(record.manifest);
    return [];
  }
  await images.delete(record.name);
  return [{ kind: 'untagged', reference: familiarReference(parseReference(record.name)) }];
}

function isDigestName({ name }: ImageRecord): boolean {
  return name?.includes('@') === true;
}

/** The canonical name up to the tag or digest. */
function repositoryOf({ name }: ImageRecord): string | undefined {
  if (name === undefined) return undefined;
  const { registry, repository } = parseReference(name);
  return `${registry}/${repository}`;
}

function anyOf(records: readonly ImageRecord[]): ImageRecord {
  const [first] = records;
  if (first === undefined) throw new RangeError('an image has at least one entry');
  return first;
}

function conflict(reason: string): ToolError {
  return new ToolError('ERR_CONFLICT', `conflict: ${reason}`);
}
