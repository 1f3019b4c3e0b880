import { closeSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { createContainerFolder, writeRecord, writeState } from '../../../src/container/container-record.ts';
import { pruneImages } from '../../../src/container/prune-images.ts';
import type { PruneReport } from '../../../src/container/prune-images.ts';
import { tryFileLock } from '../../../src/fs/kernel-lock.ts';
import type { PruneCriteria } from '../../../src/image/choose-unused.ts';
import { openEngine } from '../../../src/image/engine.ts';
import type { Engine } from '../../../src/image/engine.ts';
import { digestHex } from '../../../src/oci/digest.ts';
import { temporaryFolder } from '../../fs/temporary-folder.ts';
import { LAYER_SIZE, fill } from '../../store/operations.ts';
import { bytesOf, testImage } from '../../store/test-image.ts';
import type { TestBlob, TestImage } from '../../store/test-image.ts';

export const DAY = 24 * 3_600_000; // ms

export interface ImageTraits {
  layers?: TestBlob[];
  /** RFC 3339. */
  created?: string | undefined;
  /** Milliseconds since it was run or pulled. */
  unusedFor?: number;
}

/** A store with images that nothing runs, and containers that nothing is in: enough for who only counts and deletes. */
export interface ImageBench {
  engine: Engine;
  /** Without a name if that is undefined. */
  add(name: string | undefined, traits?: ImageTraits): Promise<TestImage>;
  /** Another name for an image. */
  tag(image: TestImage, name: string): Promise<void>;
  /** Gives a container of the image, with a file of so many bytes; answers with its ID. */
  contain(image: TestImage, options?: { status?: 'exited' | 'running' | 'created'; bytes?: number }): string;
  names(): Promise<Array<string | undefined>>;
}

export async function openImageBench(): Promise<ImageBench> {
  const engine = await openEngine({ home: join(await temporaryFolder(), 'store') });
  const { store } = engine;
  let containers = 0;
  return {
    engine,
    async add(name, { layers, created = '2026-01-02T03:04:05Z', unusedFor } = {}) {
      const image = testImage(name ?? 'unnamed:1', layers);
      await fill(store, image);
      await store.images.set({ ...image.record, created, name: name === undefined ? undefined : image.record.name });
      if (unusedFor !== undefined) setLastUse(engine, image, Date.now() - unusedFor);
      return image;
    },
    tag: async ({ record }, name) => store.images.set({ ...record, name: `docker.io/library/${name}` }),
    contain(image, { status = 'exited', bytes = 0 } = {}) {
      containers += 1;
      const id = containers.toString(16).padStart(64, '0');
      const { folder, lock } = createContainerFolder(store.paths.containers, id);
      closeSync(lock);
      writeContainer(folder, id, image);
      mkdirSync(join(folder, 'upper/etc'), { recursive: true });
      writeFileSync(join(folder, 'upper/etc/file'), Buffer.alloc(bytes, 1));
      if (status !== 'created') writeFileSync(join(folder, 'started'), '');
      if (status === 'exited') writeState(folder, { exitCode: 0, finished: '2026-01-02T03:04:06.000Z' });
      const held = status === 'running' ? tryFileLock(join(folder, 'lock'), 'exclusive') : undefined;
      if (held !== undefined) onTestFinished(() => held.release());
      return id;
    },
    names: async () => (await store.images.list()).map(({ name }) => name?.replace('docker.io/library/', '')),
  };
}

export async function pruneBench({ engine }: ImageBench, criteria: PruneCriteria = {}): Promise<PruneReport> {
  return pruneImages(engine, { criteria });
}

/** Blobs and layers of an image that shares nothing. */
export function sizeOf({ blobs, chain }: TestImage): number {
  return bytesOf(blobs) + chain.length * LAYER_SIZE;
}

/** `time` is in milliseconds since 1970. */
export function setLastUse({ store }: Engine, { record }: TestImage, time: number): void {
  utimesSync(store.blobs.path(record.manifest), time / 1000, time / 1000);
}

/** Writes what a run writes first. */
export function writeContainer(
  folder: string,
  id: string,
  { record, chain }: Pick<TestImage, 'record' | 'chain'>,
): void {
  writeRecord(folder, {
    version: 1,
    id,
    name: `container-${id.slice(-4)}`,
    image: record.name,
    imageId: record.imageId,
    manifest: record.manifest,
    layers: chain.map(digestHex),
    command: ['sh'],
    created: '2026-01-02T03:04:05.000Z',
    autoRemove: false,
  });
}
