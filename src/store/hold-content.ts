import { lockFile, type FileLock } from '../fs/kernel-lock.ts';
import type { Digest } from '../oci/digest.ts';
import { createLease } from './leases.ts';
import { listLayers } from './list-layers.ts';
import type { Store } from './open-store.ts';

/** What is in a store at one moment. None of it is deleted until `release`. */
export interface HeldContent {
  blobs: Digest[];
  /** Chain IDs. */
  layers: Digest[];
  /** Never throws. */
  release(): Promise<void>;
}

export interface HoldOptions<T> {
  /** Called at that moment: no content of a name that it reads is deleted afterwards. */
  read: () => Promise<T>;
  /** False: where no lease can be written, on a full or read-only disk, garbage collection waits until `release`. */
  needsLease: boolean;
  signal?: AbortSignal | undefined;
}

/** Throws ERR_ABORTED, what `read` throws and, with `needsLease`, ERR_NO_SPACE or ERR_STORE. */
export async function holdContent<T>(store: Store, options: HoldOptions<T>): Promise<HeldContent & { value: T }> {
  const { read, signal } = options;
  const lock = await lockFile(store.paths.gcLock, 'shared', { signal });
  try {
    const blobs = store.blobs.list();
    const layers = listLayers(store.paths.layers);
    const value = await read();
    return { blobs, layers, value, release: await holdAll(store, [...blobs, ...layers], { ...options, lock }) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function holdAll(
  store: Store,
  digests: readonly Digest[],
  { lock, needsLease, signal }: { lock: FileLock; needsLease: boolean; signal?: AbortSignal | undefined },
): Promise<() => Promise<void>> {
  let lease;
  try {
    lease = await createLease(store, { signal });
    for (let at = 0; at < digests.length; at += MANY) await lease.add(...digests.slice(at, at + MANY));
    lock.release();
    const held = lease;
    return async () => held.release();
  } catch (error) {
    await lease?.release();
    if (needsLease || signal?.aborted === true) throw error;
    // oxlint-disable-next-line typescript/require-await -- as a lease's
    return async () => lock.release();
  }
}

/** As arguments of one call. */
const MANY = 10_000;
