import { withDiskErrors } from '../fs/disk-error.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { removeTree } from '../fs/remove-tree.ts';
import type { Digest } from '../oci/digest.ts';
import { storePaths } from './layout.ts';
import { markReachable } from './mark-reachable.ts';
import type { Store } from './open-store.ts';
import {
  removeAbandoned,
  removeIngests,
  removeLayerFiles,
  removeStaging,
  removeTemporaryFiles,
} from './remove-leftovers.ts';
import { sweep, type Swept } from './sweep.ts';
import { emptyTrash, openTrashBin, type RemoveFolder } from './trash.ts';

/** What containers use, besides the names and leases that the store knows itself. */
export interface ContainerRoots {
  /** Manifests that containers were made from. */
  manifests: readonly Digest[];
  /** Chain IDs of the layers that they are mounted over. */
  layers: readonly Digest[];
}

export interface GarbageOptions {
  /** Called while nobody can make anything reachable: a container that is recorded later finds what is left. */
  roots: () => Promise<ContainerRoots>;
  /** `removeTree` unless given: layers of a user with subordinate ids can only be removed inside a user namespace. */
  removeFolder?: RemoveFolder | undefined;
  /** Keep downloads that stopped halfway and that no process is at. They are removed unless this is set. */
  keepPartialDownloads?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** What is gone. `bytes` counts blobs, and what `removeFolder` answered. */
export type Garbage = Swept;

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
  const { signal, removeFolder = removeTree } = options;
  const paths = storePaths(store.root);
  const swept = await withFileLock({ path: paths.gcLock, kind: 'exclusive', signal }, async () => {
    const roots = await options.roots();
    const { blobs } = store;
    const marked = await markReachable({ blobs, paths, manifests: roots.manifests, signal });
    const keep = new Set([...marked, ...roots.layers]);
    const bin = openTrashBin(paths.trash);
    removeStaging(paths, bin);
    removeAbandoned(paths, bin);
    removeLayerFiles(paths);
    return sweep({ blobs, paths, keep, bin, removeFolder, signal });
  });
  removeIngests(paths, options.keepPartialDownloads ?? false);
  await removeTemporaryFiles(paths, signal);
  return { ...swept, bytes: swept.bytes + (await emptyTrash(paths.trash, removeFolder)) };
}
