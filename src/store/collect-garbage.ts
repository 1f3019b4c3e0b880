import { withDiskErrors } from '../fs/disk-error.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { removeTree } from '../fs/remove-tree.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageRecord } from './image-record.ts';
import { storePaths, type InternalPaths } from './layout.ts';
import { readLeases } from './leases.ts';
import { listBlobSizes } from './list-blob-sizes.ts';
import { listLayers } from './list-layers.ts';
import { markReachable } from './mark-reachable.ts';
import type { Store } from './open-store.ts';
import {
  removeAbandoned,
  removeIngests,
  removeLayerFiles,
  removeStaging,
  removeTemporaryFiles,
} from './remove-leftovers.ts';
import { recordsOf, storedEntries } from './stored-entries.ts';
import { sweep } from './sweep.ts';
import { emptyTrash, openTrashBin, type RemoveFolder } from './trash.ts';

/** What containers use, besides the names and leases that the store knows itself. */
export interface ContainerRoots {
  /** Manifests that containers were made from. */
  manifests: readonly Digest[];
  /** Chain IDs of the layers that they are mounted over. */
  layers: readonly Digest[];
}

/** What there is to choose from, and what the choice may depend on. */
export interface StoredImages {
  records: readonly ImageRecord[];
  /** What pulls that are under way hold. */
  leased: ReadonlySet<Digest>;
  /** Digests of blobs and chain IDs of layers that stay even if all records go: leases, containers and other tools need them. */
  neededOtherwise: () => Promise<ReadonlySet<Digest>>;
}

export interface GarbageOptions {
  /** Called while nobody can make anything reachable: a container that is recorded later finds what is left. */
  roots: () => Promise<ContainerRoots>;
  /** Chooses images that lose their names before. Called after `roots`, in the same quiet. None unless given. */
  expire?: ((images: StoredImages) => Promise<readonly ImageRecord[]>) | undefined;
  /** Of an unpacked layer, in bytes; for `Garbage` alone, and 0 unless given. */
  sizeOfLayer?: ((chainId: Digest) => Promise<number>) | undefined;
  /** `removeTree` unless given: layers of a user with subordinate ids can only be removed inside a user namespace. */
  removeFolder?: RemoveFolder | undefined;
  /** Keep downloads that stopped halfway and that no process is at. They are removed unless this is set. */
  keepPartialDownloads?: boolean | undefined;
  /** Do not look into every layer that stays for what killed writers have left beside its tree. */
  keepLayerFiles?: boolean | undefined;
  /** Only answer what would be gone. */
  dryRun?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** What is gone. */
export interface Garbage {
  blobs: Digest[];
  /** Chain IDs. */
  layers: Digest[];
  /** Of blobs, layers (see `sizeOfLayer`) and partial downloads. */
  bytes: number;
}

/**
 * Deletes what nothing refers to any more: no name, no lease of a living process, no container. Also what commands that were
 * killed have left behind. Works on a full disk. Any number of processes may do so at once.
 *
 * Throws ERR_STORE_DAMAGED, and deletes nothing, if it cannot read everything that tells what is needed; ERR_ABORTED.
 */
export async function collectGarbage(store: Store, options: GarbageOptions): Promise<Garbage> {
  return withDiskErrors('remove garbage from', store.root, async () => collect(store, options));
}

async function collect(store: Store, options: GarbageOptions): Promise<Garbage> {
  const { signal, removeFolder = removeTree, keepPartialDownloads: keepPartial = false, dryRun = false } = options;
  const paths = storePaths(store.root);
  const garbage = await withFileLock({ path: paths.gcLock, kind: 'exclusive', signal }, async () => {
    const { expired, ...found } = await findGarbage(store, paths, options);
    if (dryRun) return found;
    if (expired.length > 0) await store.images.deleteAll(expired, { signal });
    const bin = openTrashBin(paths.trash);
    removeStaging(paths, bin);
    removeAbandoned(paths, bin);
    await sweep(found, { blobs: store.blobs, paths, bin, removeFolder, signal });
    if (options.keepLayerFiles !== true) await removeLayerFiles(paths); // of the layers that are left
    return found;
  });
  garbage.bytes += removeIngests(paths, { keepPartial, dryRun });
  if (!dryRun) {
    await removeTemporaryFiles(paths, signal);
    await emptyTrash(paths.trash, removeFolder);
  }
  return garbage;
}

async function findGarbage(
  { blobs }: Store,
  paths: InternalPaths,
  { roots, expire, sizeOfLayer, dryRun = false, signal }: GarbageOptions,
): Promise<Garbage & { expired: readonly ImageRecord[] }> {
  const used = await roots();
  const leased = readLeases(paths, { keepAbandoned: dryRun });
  const entries = await storedEntries(paths.index);
  const { index } = paths;
  const mark = async (without: readonly ImageRecord[]): Promise<Set<Digest>> =>
    new Set([
      ...(await markReachable({ blobs, entries, index, leased, manifests: used.manifests, without, signal })),
      ...used.layers,
    ]);
  const records = recordsOf(entries);
  const expired = (await expire?.({ records, leased, neededOtherwise: async () => mark(records) })) ?? [];
  const keep = await mark(expired);
  const unused = await listBlobSizes(blobs, (digest) => !keep.has(digest));
  const layers = listLayers(paths.layers)
    .filter((chainId) => !keep.has(chainId))
    .sort();
  let bytes = 0;
  for (const size of unused.values()) bytes += size;
  for (const chainId of layers) bytes += (await sizeOfLayer?.(chainId)) ?? 0;
  return { expired, blobs: [...unused.keys()], layers, bytes };
}
