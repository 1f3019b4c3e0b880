import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { ToolError } from '../../src/errors.ts';
import { isToolError } from '../../src/errors.ts';
import { openEngine } from '../../src/image/engine.ts';
import type { Engine } from '../../src/image/engine.ts';
import { listImages } from '../../src/image/list-images.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import type { PulledImage } from '../../src/image/pull-event.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { wrongBlobs } from '../store/open-test-store.ts';
import type { PutImage, TestLayer, TestRegistry } from '../support/registry/index.ts';
import { putImage, startRegistry } from '../support/registry/index.ts';
import { tarLayer } from './test-layers.ts';

/** Of a registry that does what it should not, and what a pull makes of it. */
export interface Bench {
  engine: Engine;
  registry: TestRegistry;
  layer: TestLayer;
  /** `app:v1`, an honest image. */
  image: PutImage;
  pull: (tag?: string) => Promise<PulledImage>;
}

export async function startHostile(): Promise<Bench> {
  const registry = await startTestRegistry();
  const layer = await tarLayer({ 'bin/': null, 'bin/tool': 'a tool' });
  const image = putImage(registry, 'app', 'v1', { layers: [layer], config: { Cmd: ['/bin/tool'] } });
  const engine = await openEngine({ home: join(await temporaryFolder(), 'store') });
  const registryOptions = { retryPolicy: { baseDelayMs: 1 } };
  return {
    engine,
    registry,
    layer,
    image,
    pull: async (tag = 'v1') => pullImage(engine, `${registry.host}/app:${tag}`, { registry: registryOptions }),
  };
}

export async function startTestRegistry(): Promise<TestRegistry> {
  const registry = await startRegistry();
  onTestFinished(async () => registry.close());
  return registry;
}

/** Digests that were asked for as blobs. */
export function blobsAsked({ registry }: Bench): string[] {
  return registry.log.flatMap(({ path }) => /\/blobs\/(.*)$/.exec(path)?.[1] ?? []);
}

export function blobsStored({ engine }: Bench): string[] {
  const folder = join(engine.store.root, 'blobs/sha256');
  return existsSync(folder)
    ? readdirSync(folder)
        .map((name) => `sha256:${name}`)
        .sort()
    : [];
}

/** What a failed pull must not leave: a name, a wrong blob, half a layer, a lease. */
export async function expectNothingNamed({ engine }: Bench): Promise<void> {
  expect(await listImages(engine)).toEqual([]);
  expect(wrongBlobs(engine.store.root)).toEqual([]);
  expect(readdirSync(engine.store.paths.layers)).toEqual([]);
  expect(readdirSync(engine.store.paths.leases)).toEqual([]);
}

export async function failure(work: Promise<unknown>): Promise<ToolError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isToolError(error)) throw new Error('no ToolError', { cause: error });
  return error;
}
