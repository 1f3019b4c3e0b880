import { isToolError } from '../errors.ts';
import { isPrunable } from '../image/choose-unused.ts';
import { contentSizes } from '../image/content-sizes.ts';
import type { Engine } from '../image/engine.ts';
import { summarizeImage } from '../image/list-images.ts';
import type { ImageSummary } from '../image/list-images.ts';
import { storedImages } from '../image/stored-image.ts';
import type { StoredImage } from '../image/stored-image.ts';
import type { Digest } from '../oci/digest.ts';
import { storePaths } from '../store/layout.ts';
import { markManifests, markReachable } from '../store/mark-reachable.ts';
import type { Store } from '../store/open-store.ts';
import { recordsOf, storedEntries, type StoredEntry } from '../store/stored-entries.ts';
import { garbageRoots } from './garbage-roots.ts';
import type { ContainerSummary } from './list-containers.ts';
import type { UsageTotals } from './usage-totals.ts';

/** Blobs and unpacked layers of an image, in bytes. Unpacked layers count with the size of their archives. */
export interface ImageUsage {
  /** Its first entry that has a name, or else the first. */
  image: ImageSummary;
  bytes: number;
  /** Of that, what other images need as well. */
  sharedBytes: number;
  /** How many containers were made from it. */
  containers: number;
}

/** What images take in the store; with what no image needs, which the total counts too. */
export async function imageUsage(
  { store }: Engine,
  containers: readonly ContainerSummary[],
  signal: AbortSignal | undefined,
): Promise<UsageTotals & { items: ImageUsage[] }> {
  const { index } = storePaths(store.root);
  const entries = await storedEntries(index);
  const images = storedImages(recordsOf(entries));
  const sizes = await contentSizes(store);
  const contents = new Map<StoredImage, ReadonlySet<Digest>>();
  for (const image of images) contents.set(image, await contentOf(store, image, signal));
  const shared = inSeveral([...contents.values()]);
  const uses = countUses(containers);
  const needed = await neededContent(store, { entries, index, images, inUse: new Set(uses.keys()), signal });
  const items = images.map((image): ImageUsage => {
    const content = [...(contents.get(image) ?? [])];
    return {
      image: summarizeImage(image.records.find(({ name }) => name !== undefined) ?? image.records[0]),
      bytes: sizeOf(content, sizes),
      sharedBytes: sizeOf(
        content.filter((digest) => shared.has(digest)),
        sizes,
      ),
      containers: uses.get(image.imageId) ?? 0,
    };
  });
  const stored = [...sizes.keys()];
  const free = needed === undefined ? [] : stored.filter((digest) => !needed.has(digest));
  return {
    total: items.length,
    active: items.filter((item) => item.containers > 0).length,
    bytes: sizeOf(stored, sizes),
    reclaimableBytes: sizeOf(free, sizes),
    items,
  };
}

function countUses(containers: readonly ContainerSummary[]): Map<Digest, number> {
  const uses = new Map<Digest, number>();
  for (const { record } of containers) {
    if (record !== undefined) uses.set(record.imageId, (uses.get(record.imageId) ?? 0) + 1);
  }
  return uses;
}

/** Of a damaged image, what can be told without reading it. */
async function contentOf(
  store: Store,
  { records, imageId }: StoredImage,
  signal: AbortSignal | undefined,
): Promise<Set<Digest>> {
  const roots = records.flatMap(({ target, manifest }) => [target.digest, manifest]);
  try {
    return await markManifests(store.blobs, roots, signal);
  } catch (error) {
    if (!isToolError(error, 'ERR_STORE_DAMAGED')) throw error;
    return new Set([...roots, imageId]);
  }
}

interface Needs {
  entries: readonly StoredEntry[];
  index: string;
  images: readonly StoredImage[];
  /** Images that containers were made from. */
  inUse: ReadonlySet<Digest>;
  signal: AbortSignal | undefined;
}

/** What stays when everything goes that may. Undefined if that cannot be told: then nothing would go. */
async function neededContent(
  { blobs, paths }: Store,
  { images, inUse, ...needs }: Needs,
): Promise<Set<Digest> | undefined> {
  const uses = { inUse, leased: new Set<Digest>() };
  try {
    const { manifests, layers } = garbageRoots(paths.containers);
    const without = images.filter((image) => isPrunable(image, uses)).flatMap(({ records }) => records);
    const marked = await markReachable({ ...needs, blobs, leased: uses.leased, manifests, without });
    return new Set([...marked, ...layers]);
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return undefined;
    throw error;
  }
}

function sizeOf(digests: readonly Digest[], sizes: ReadonlyMap<Digest, number>): number {
  let sum = 0;
  for (const digest of digests) sum += sizes.get(digest) ?? 0;
  return sum;
}

function inSeveral(contents: ReadonlyArray<ReadonlySet<Digest>>): Set<Digest> {
  const once = new Set<Digest>();
  const several = new Set<Digest>();
  for (const content of contents) {
    for (const digest of content) (once.has(digest) ? several : once).add(digest);
  }
  return several;
}
