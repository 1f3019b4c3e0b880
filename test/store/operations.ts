import fs from 'node:fs';
import { join } from 'node:path';

import { withDiskErrors } from '../../src/fs/disk-error.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { encodeLayerInfo } from '../../src/snapshot/layer-info.ts';
import { collectGarbage, type ContainerRoots, type Garbage } from '../../src/store/collect-garbage.ts';
import { createLease } from '../../src/store/leases.ts';
import type { Store } from '../../src/store/open-store.ts';
import { putAll, testBlob, testImage, type TestBlob, type TestImage } from './test-image.ts';

export const NO_CONTAINERS = async (): Promise<ContainerRoots> => ({ manifests: [], layers: [] });

/** The same image for everybody, in every process. */
export const SHARED: TestImage = testImage('shared:1', [testBlob('one'), testBlob(Buffer.alloc(50_000, 'two'))]);

/** What a pull does to a store, in its order. Downloads go on from where an earlier one stopped. */
export async function pullShared(store: Store): Promise<void> {
  const lease = await createLease(store);
  try {
    await lease.add(...SHARED.blobs.map(({ descriptor }) => descriptor.digest));
    for (const { descriptor, bytes } of SHARED.blobs) {
      const ingest = await store.blobs.ingest(descriptor, { reference: SHARED.record.name });
      if (ingest === undefined) continue;
      try {
        while (ingest.offset < bytes.length) await ingest.write(bytes.subarray(ingest.offset, ingest.offset + 20_000));
      } catch (error) {
        await ingest.suspend();
        throw error;
      }
      await ingest.commit();
    }
    await unpack(store, SHARED);
    await store.images.set(SHARED.record);
  } finally {
    await lease.release();
  }
}

export async function removeShared(store: Store): Promise<void> {
  await store.images.delete(SHARED.record.name);
  await prune(store);
}

export async function prune(store: Store): Promise<Garbage> {
  return collectGarbage(store, { roots: NO_CONTAINERS });
}

/** The same, and every name but `kept:1` goes. */
export async function pruneAll(store: Store): Promise<Garbage> {
  return collectGarbage(store, {
    roots: NO_CONTAINERS,
    expire: async ({ records }) => records.filter(({ name }) => name !== 'docker.io/library/kept:1'),
  });
}

/** Stores an image with unpacked layers, and names it. */
export async function add(store: Store, name: string, layers?: TestBlob[]): Promise<TestImage> {
  const image = testImage(name, layers);
  await fill(store, image);
  await store.images.set(image.record);
  return image;
}

export async function fill(store: Store, image: TestImage): Promise<void> {
  await putAll(store.blobs, image.blobs);
  await unpack(store, image);
}

/** What each of the layers that `unpack` makes says of itself, in bytes. */
export const LAYER_SIZE = 10_000;

/** Makes folders that look like unpacked layers. */
export async function unpack({ paths }: Store, { chain }: TestImage): Promise<void> {
  for (const chainId of chain) {
    const folder = join(paths.layers, digestHex(chainId));
    await withDiskErrors('unpack', folder, async () => {
      await fs.promises.mkdir(join(folder, 'fs/etc'), { recursive: true });
      const info = { diffId: chainId, size: LAYER_SIZE, entries: 1 };
      await fs.promises.writeFile(join(folder, 'manifest'), '');
      await fs.promises.writeFile(join(folder, 'done'), encodeLayerInfo(info));
    });
  }
}

/** Whether all blobs and layers of an image are there. */
export function isComplete({ blobs, paths }: Store, image: TestImage): boolean {
  const files = image.blobs.map(({ descriptor }) => blobs.path(descriptor.digest));
  const layers = image.chain.map((chainId) => join(paths.layers, digestHex(chainId), 'done'));
  return [...files, ...layers].every((path) => fs.existsSync(path));
}
