import type { Digest } from '../oci/digest.ts';
import type { StoredImages } from '../store/collect-garbage.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { markManifests } from '../store/mark-reachable.ts';
import type { Store } from '../store/open-store.ts';
import { contentSizes } from './content-sizes.ts';
import { hasLabels } from './has-labels.ts';
import { lastUse } from './last-use.ts';
import { parseCreated } from './list-images.ts';
import { readIntactImage } from './local-image.ts';
import { storedImages } from './stored-image.ts';
import type { StoredImage } from './stored-image.ts';

/** Which images to prune, of those that nobody uses. All that is given has to hold. */
export interface PruneCriteria {
  /** Images with names too; only dangling ones unless this, `unusedFor` or `keepStorage` is given. */
  all?: boolean | undefined;
  /** Images that say they were created no later. Those that do not say are kept. */
  until?: Date | undefined;
  /** Images that have all of these labels, each a key or `key=value`. */
  labels?: readonly string[] | undefined;
  /** Images that do not have all of these labels. */
  withoutLabels?: readonly string[] | undefined;
  /** Images that were neither run nor pulled for so many milliseconds. */
  unusedFor?: number | undefined;
  /** Only until what is left of the images takes at most so many bytes: dangling images first, then those used longest ago. */
  keepStorage?: number | undefined;
}

export interface ImageUses {
  /** Images that containers were made from, running or not. */
  inUse: ReadonlySet<Digest>;
  /** What pulls that are under way hold. */
  leased: ReadonlySet<Digest>;
}

export interface UnusedChoice {
  stored: StoredImages;
  /** Images that containers were made from. */
  inUse: ReadonlySet<Digest>;
  criteria: PruneCriteria;
  signal?: AbortSignal | undefined;
}

/** The images to prune. Throws ERR_STORE_DAMAGED where sizes matter and an image cannot be read. */
export async function chooseUnused(store: Store, choice: UnusedChoice): Promise<StoredImage[]> {
  const { stored, inUse, criteria } = choice;
  const now = Date.now();
  const candidates: StoredImage[] = [];
  for (const image of storedImages(stored.records)) {
    if (!isPrunable(image, { inUse, leased: stored.leased })) continue;
    if (
      meets(image, criteria) &&
      isUnused(store, image, { criteria, now }) &&
      (await isLabelled(store, image, criteria))
    )
      candidates.push(image);
  }
  return criteria.keepStorage === undefined
    ? candidates
    : trim(store, candidates, { ...choice, keepStorage: criteria.keepStorage });
}

/** Whether an image may go at all. Everything that prunes asks here. */
export function isPrunable({ imageId, records }: StoredImage, { inUse, leased }: ImageUses): boolean {
  if (inUse.has(imageId) || records.some((record) => record.protected === true)) return false;
  return !records.some(({ manifest, target }) => leased.has(manifest) || leased.has(target.digest));
}

function meets({ records }: StoredImage, { all, until, unusedFor, keepStorage }: PruneCriteria): boolean {
  const named = all === true || unusedFor !== undefined || keepStorage !== undefined;
  if (!named && !isDangling(records)) return false;
  if (until === undefined) return true;
  const created = parseCreated(records[0].created);
  return created !== undefined && created <= until;
}

function isDangling(records: readonly ImageRecord[]): boolean {
  return records.every(({ name }) => name === undefined);
}

function isUnused(
  store: Store,
  image: StoredImage,
  { criteria: { unusedFor }, now }: { criteria: PruneCriteria; now: number },
): boolean {
  if (unusedFor === undefined) return true;
  const used = lastUseOf(store, image);
  // The clock may have been set back: what was used in the future was used just now.
  return used !== undefined && Math.max(0, now - used) >= unusedFor;
}

/** Undefined if nobody can tell. */
function lastUseOf(store: Store, { records }: StoredImage): number | undefined {
  const times = records.map(({ manifest }) => lastUse(store, manifest));
  return times.some((time) => time === undefined) ? undefined : Math.max(...times.map((time) => time ?? 0));
}

/** An image whose labels cannot be read is kept. */
async function isLabelled(
  store: Store,
  { records }: StoredImage,
  { labels = [], withoutLabels = [] }: PruneCriteria,
): Promise<boolean> {
  if (labels.length === 0 && withoutLabels.length === 0) return true;
  const image = await readIntactImage(store, records[0].manifest);
  if (image === undefined) return false;
  const own = image.config.config.labels;
  return hasLabels(own, labels) && (withoutLabels.length === 0 || !hasLabels(own, withoutLabels));
}

/** As many of `candidates` as have to go. What several images share counts once, and is free only when the last of them goes. */
async function trim(
  store: Store,
  candidates: readonly StoredImage[],
  { stored, keepStorage, signal }: UnusedChoice & { keepStorage: number },
): Promise<StoredImage[]> {
  const sizes = await contentSizes(store);
  const users = new Map<Digest, number>();
  const contents = new Map<Digest, ReadonlySet<Digest>>();
  for (const { imageId, records } of storedImages(stored.records)) {
    const roots = records.flatMap(({ target, manifest }) => [target.digest, manifest]);
    contents.set(imageId, await markManifests(store.blobs, roots, signal));
  }
  let bytes = 0;
  for (const content of [...contents.values(), await stored.neededOtherwise()]) {
    for (const digest of content) {
      const others = users.get(digest) ?? 0;
      if (others === 0) bytes += sizes.get(digest) ?? 0;
      users.set(digest, others + 1);
    }
  }
  const chosen: StoredImage[] = [];
  for (const image of byUse(store, candidates)) {
    if (bytes <= keepStorage) break;
    chosen.push(image);
    for (const digest of contents.get(image.imageId) ?? []) {
      const others = (users.get(digest) ?? 0) - 1;
      if (others === 0) bytes -= sizes.get(digest) ?? 0;
      users.set(digest, others);
    }
  }
  return chosen;
}

/** Dangling images first, then those used longest ago. */
function byUse(store: Store, images: readonly StoredImage[]): StoredImage[] {
  const ranked = images.map((image) => ({
    image,
    named: isDangling(image.records) ? 0 : 1,
    used: Math.min(lastUseOf(store, image) ?? Infinity, Date.now()),
  }));
  return ranked.toSorted((a, b) => a.named - b.named || a.used - b.used).map(({ image }) => image);
}
