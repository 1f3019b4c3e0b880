import { isToolError } from '../errors.ts';
import { throwIfAborted } from '../fs/abort.ts';
import { createPacer } from '../fs/pacer.ts';
import { isDigest, type Digest } from '../oci/digest.ts';
import { isIndexMediaType, isManifestMediaType } from '../oci/media-types.ts';
import type { BlobStore } from './blob-store.ts';
import { damaged } from './damaged.ts';
import { recordKey, type ImageRecord } from './image-record.ts';
import { unreadable } from './index-file.ts';
import { referencesOf, type References } from './references.ts';
import { placeOf, type StoredEntry } from './stored-entries.ts';

export interface MarkOptions {
  blobs: BlobStore;
  /** The names: all of `index.json`, where it is. */
  entries: readonly StoredEntry[];
  index: string;
  /** What the leases of living processes hold. */
  leased: ReadonlySet<Digest>;
  /** Manifests that containers were made from. */
  manifests: readonly Digest[];
  /** Names, and entries without one, that do not count. */
  without?: readonly ImageRecord[] | undefined;
  signal?: AbortSignal | undefined;
}

/** Where to go on looking. */
interface Pending {
  digest: Digest;
  /** `unknown`: perhaps a document, perhaps a layer, perhaps not there at all. */
  kind: 'manifest' | 'config' | 'unknown';
  /** If it is missing, nobody can tell what else is reachable. */
  required: boolean;
}

/**
 * Everything that a name, a living lease or a container may still need: digests of blobs and chain IDs of layers.
 * Call with the garbage collection lock held exclusively.
 *
 * Throws ERR_STORE_DAMAGED rather than leave anything out: for a foreign name that cannot be read, for an image of ours whose
 * manifest or config is missing, and for any manifest or config on the way that is there and cannot be read.
 */
export async function markReachable(options: MarkOptions): Promise<Set<Digest>> {
  return markFrom(options, findRoots(options));
}

/**
 * What manifests or indexes refer to, themselves included: digests of blobs and chain IDs of layers.
 * Throws ERR_STORE_DAMAGED if one, or a config, cannot be read.
 */
export async function markManifests(
  blobs: BlobStore,
  manifests: readonly Digest[],
  signal: AbortSignal | undefined,
): Promise<Set<Digest>> {
  return markFrom({ blobs, signal }, manifests.map(neededManifest));
}

async function markFrom(
  { blobs, signal }: Pick<MarkOptions, 'blobs' | 'signal'>,
  roots: Pending[],
): Promise<Set<Digest>> {
  const marked = new Set<Digest>();
  const followed = new Set<string>();
  const pending = [...roots];
  const pace = createPacer();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    throwIfAborted(signal, 'collect garbage');
    marked.add(next.digest);
    const key = `${next.digest} ${next.kind} ${next.required}`; // a lease may have passed over what a name needs
    if (followed.has(key)) continue;
    followed.add(key);
    await pace();
    const references = follow(blobs, next);
    for (const digest of [...references.blobs, ...references.chainIds]) marked.add(digest);
    for (const child of references.documents) pending.push(below(next, child));
  }
  return marked;
}

/** An index lists platforms that were never pulled; but a manifest that has to be there is nothing without its config. */
function below({ kind, required }: Pending, child: References['documents'][number]): Pending {
  if (kind === 'unknown') return { digest: child.digest, kind, required: false };
  return { ...child, required: required && child.kind === 'config' };
}

function findRoots({ entries, index, leased, manifests, without = [] }: MarkOptions): Pending[] {
  const passedOver = new Set(without.map(recordKey));
  const held = [...leased].map((digest): Pending => ({ digest, kind: 'unknown', required: false }));
  const used = manifests.map((digest): Pending => ({ digest, kind: 'manifest', required: false }));
  const counted = entries.filter(({ record }) => record === undefined || !passedOver.has(recordKey(record)));
  return [...held, ...used, ...counted.flatMap((stored) => rootsOf(stored, index))];
}

function rootsOf({ entry, record }: StoredEntry, index: string): Pending[] {
  if (record !== undefined) return [record.target.digest, record.manifest].map(neededManifest);
  const { digest, mediaType } = entry.value;
  if (typeof digest !== 'string' || !isDigest(digest)) {
    throw unreadable(placeOf(entry, index), 'it has no digest that is known here');
  }
  const isDocument = typeof mediaType === 'string' && (isManifestMediaType(mediaType) || isIndexMediaType(mediaType));
  return [{ digest, kind: isDocument ? 'manifest' : 'unknown', required: false }];
}

function neededManifest(digest: Digest): Pending {
  return { digest, kind: 'manifest', required: true };
}

const NOTHING: References = { documents: [], blobs: [], chainIds: [] };

function follow(blobs: BlobStore, { digest, kind, required }: Pending): References {
  try {
    const bytes = blobs.readDocument(digest);
    if (bytes !== undefined) return referencesOf(bytes, digest);
  } catch (error) {
    if (!isToolError(error, 'ERR_STORE_DAMAGED', 'ERR_MANIFEST', 'ERR_LIMIT')) throw error;
    if (kind === 'unknown') return NOTHING;
    // The config of an artifact need not be JSON. What is intact and not a document refers to nothing.
    if (kind === 'config' && !required && error.code !== 'ERR_STORE_DAMAGED') return NOTHING;
    throw lost(digest, error.message, error);
  }
  if (required) throw lost(digest, 'it is not in the store, and an image needs it');
  return NOTHING;
}

function lost(digest: Digest, problem: string, cause?: unknown): Error {
  const hint =
    'Nothing was deleted. Pull the image that it belongs to again, or remove that image by name, and try again.';
  return damaged(digest, problem, { hint, cause });
}
