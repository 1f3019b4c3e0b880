import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { pruneContainers } from '../../src/container/prune-containers.ts';
import type { ContainerCriteria, PrunedContainers } from '../../src/container/prune-containers.ts';
import { tryFileLock } from '../../src/fs/kernel-lock.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { tarLayer } from '../image/test-layers.ts';
import { putImage, startRegistry } from '../support/registry/index.ts';
import { openImageBench, writeContainer } from './support/image-bench.ts';
import type { ImageBench } from './support/image-bench.ts';

const pruneBench = async ({ engine }: ImageBench, criteria: ContainerCriteria = {}): Promise<PrunedContainers> =>
  pruneContainers(engine, { criteria });

describe('pruneContainers()', () => {
  it('removes those that have ended, and tells what they had written', async () => {
    const bench = await openImageBench();
    const image = await bench.add('a:1');
    const [one, two] = [bench.contain(image, { bytes: 1000 }), bench.contain(image, { bytes: 234 })];
    const running = bench.contain(image, { status: 'running', bytes: 50 });
    const starting = bench.contain(image, { status: 'created', bytes: 60 });
    const { removed, reclaimedBytes } = await pruneBench(bench);
    expect(removed.toSorted()).toEqual([one, two]);
    expect(reclaimedBytes).toBe(1234);
    const { containers } = bench.engine.store.paths;
    for (const id of [running, starting]) expect(existsSync(join(containers, id))).toBe(true);
    expect(await pruneBench(bench)).toEqual({ removed: [], reclaimedBytes: 0 });
  });

  it('passes over one that somebody looks after this moment', async () => {
    const bench = await openImageBench();
    const id = bench.contain(await bench.add('a:1'));
    const lock = tryFileLock(join(bench.engine.store.paths.containers, id, 'lock'), 'exclusive');
    expect((await pruneBench(bench)).removed).toEqual([]);
    lock?.release();
    expect((await pruneBench(bench)).removed).toEqual([id]);
  });

  it('removes one that is damaged, unless it would have to meet something', async () => {
    const bench = await openImageBench();
    const id = bench.contain(await bench.add('a:1'));
    writeFileSync(join(bench.engine.store.paths.containers, id, 'config.json'), '{');
    expect((await pruneBench(bench, { until: new Date() })).removed).toEqual([]);
    expect((await pruneBench(bench)).removed).toEqual([id]);
  });

  it.each<[string, ContainerCriteria, boolean]>([
    ['until later', { until: new Date('2026-01-02T03:04:06Z') }, true],
    ['until before', { until: new Date('2026-01-02T03:04:04Z') }, false],
    ['a label that its image has', { labels: ['stage=test'] }, true],
    ['a label with another value', { labels: ['stage', 'stage=live'] }, false],
    ['without a label that its image has', { withoutLabels: ['stage'] }, false],
    ['without a label that its image has not', { withoutLabels: ['other'] }, true],
    ['without labels of which its image has one', { withoutLabels: ['stage', 'other'] }, true],
  ])('by %s', async (_, criteria, goes) => {
    const bench = await openImageBench();
    const registry = await startRegistry();
    onTestFinished(async () => registry.close());
    putImage(registry, 'app', 'v1', { layers: [await tarLayer({ file: 'x' })], config: { Labels: { stage: 'test' } } });
    const { name, imageId, manifestDigest } = await pullImage(bench.engine, `${registry.host}/app:v1`);
    const id = bench.contain(await bench.add('a:1'));
    const folder = join(bench.engine.store.paths.containers, id);
    const record = await bench.engine.store.images.get(name);
    expect(record).toMatchObject({ imageId, manifest: manifestDigest });
    if (record !== undefined) writeContainer(folder, id, { record: { ...record, name }, chain: [] });
    expect((await pruneBench(bench, criteria)).removed).toEqual(goes ? [id] : []);
  });
});
