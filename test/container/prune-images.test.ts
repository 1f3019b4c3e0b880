import { chmodSync, closeSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createContainerFolder } from '../../src/container/container-record.ts';
import { prune } from '../../src/container/prune.ts';
import { pruneImages } from '../../src/container/prune-images.ts';
import { removeImage } from '../../src/container/remove-image.ts';
import { lockFile } from '../../src/fs/kernel-lock.ts';
import type { PruneCriteria } from '../../src/image/choose-unused.ts';
import { recordUse } from '../../src/image/last-use.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { createLease } from '../../src/store/leases.ts';
import { tarLayer } from '../image/test-layers.ts';
import { listTree } from '../store/open-test-store.ts';
import { isComplete } from '../store/operations.ts';
import { testBlob } from '../store/test-image.ts';
import type { TestImage } from '../store/test-image.ts';
import { putImage, startRegistry } from '../support/registry/index.ts';
import { rounds, seed } from '../support/soak.ts';
import { DAY, openImageBench, pruneBench, setLastUse, sizeOf, writeContainer } from './support/image-bench.ts';
import type { ImageBench } from './support/image-bench.ts';

describe('pruneImages()', () => {
  it('removes dangling images, and tells what that has freed', async () => {
    const bench = await openImageBench();
    const kept = await bench.add('a:1');
    const gone = await bench.add(undefined);
    const report = await pruneBench(bench);
    expect(report).toEqual({
      removed: [gone.record.imageId, ...gone.chain.toSorted()].map((digest) => ({ kind: 'deleted', digest })),
      reclaimedBytes: sizeOf(gone),
    });
    expect(isComplete(bench.engine.store, kept)).toBe(true);
    expect(await bench.names()).toEqual(['a:1']);
    expect(await pruneBench(bench)).toEqual({ removed: [], reclaimedBytes: 0 });
  });

  it('removes with all what no container uses, whether it runs or not', async () => {
    const bench = await openImageBench();
    const stopped = await bench.add('stopped:1');
    const running = await bench.add('running:1');
    const gone = await bench.add('gone:1');
    await bench.tag(gone, 'gone:again');
    bench.contain(stopped);
    bench.contain(running, { status: 'running' });
    const report = await pruneBench(bench, { all: true });
    expect(report.removed.slice(0, 3)).toEqual([
      { kind: 'untagged', reference: 'gone:1' },
      { kind: 'untagged', reference: 'gone:again' },
      { kind: 'deleted', digest: gone.record.imageId },
    ]);
    expect(await bench.names()).toEqual(['stopped:1', 'running:1']);
    for (const image of [stopped, running]) expect(isComplete(bench.engine.store, image)).toBe(true);
  });

  it('keeps a dangling image that a container uses', async () => {
    const bench = await openImageBench();
    bench.contain(await bench.add(undefined));
    expect(await pruneBench(bench, { all: true })).toEqual({ removed: [], reclaimedBytes: 0 });
  });

  it.each([{ all: true }, { keepStorage: 0 }, { unusedFor: 0 }])(
    'keeps what is protected, with %j',
    async (criteria) => {
      const bench = await openImageBench();
      const kept = await bench.add('kept:1');
      await bench.tag(kept, 'kept:too');
      await bench.add('gone:1');
      const { images } = bench.engine.store;
      const [record] = (await images.list()).filter(({ name }) => name?.endsWith('kept:1'));
      await images.protect({ name: record?.name, manifest: kept.record.manifest }, true);
      await pruneBench(bench, criteria);
      expect(await bench.names()).toEqual(['kept:1', 'kept:too']);
      expect(isComplete(bench.engine.store, kept)).toBe(true);
    },
  );

  it('keeps an image that a pull is at', async () => {
    const bench = await openImageBench();
    const { record } = await bench.add('a:1');
    const lease = await createLease(bench.engine.store);
    await lease.add(record.manifest);
    expect(await pruneBench(bench, { all: true })).toEqual({ removed: [], reclaimedBytes: 0 });
    await lease.release();
    expect((await pruneBench(bench, { all: true })).removed).toHaveLength(4);
  });

  it.each<[string, PruneCriteria, string[]]>([
    ['all', { all: true }, []],
    ['none but dangling', { until: new Date('2100-01-01') }, ['old:1', 'new:1', 'undated:1', 'odd:1']],
    ['until', { all: true, until: new Date('2022-01-01') }, ['new:1', 'undated:1', 'odd:1']],
    ['until its very moment', { all: true, until: new Date('2020-01-01') }, ['new:1', 'undated:1', 'odd:1']],
    ['until before', { all: true, until: new Date('2019-12-31') }, ['old:1', 'new:1', 'undated:1', 'odd:1']],
    ['unusedFor', { unusedFor: 10 * DAY }, ['new:1', 'odd:1']],
    ['unusedFor and until', { unusedFor: 10 * DAY, until: new Date('2022-01-01') }, ['new:1', 'undated:1', 'odd:1']],
    ['unusedFor of nothing', { unusedFor: 0 }, []],
  ])('removes by creation and use: %s', async (_, criteria, left) => {
    const bench = await openImageBench();
    await bench.add('old:1', { created: '2020-01-01T00:00:00Z', unusedFor: 20 * DAY });
    await bench.add('new:1', { created: '2024-01-01T00:00:00Z', unusedFor: 2 * DAY });
    await bench.add('undated:1', { created: '', unusedFor: 30 * DAY });
    await bench.add('odd:1', { created: 'yesterday', unusedFor: -5 * DAY }); // the clock was set back
    await pruneBench(bench, criteria);
    expect(await bench.names()).toEqual(left);
  });

  it.each<[string, PruneCriteria, boolean]>([
    ['a key that it has', { labels: ['stage'] }, true],
    ['keys and values that it has', { labels: ['stage=test', 'empty='] }, true],
    ['another value', { labels: ['stage', 'stage=live'] }, false],
    ['a key that it has not', { labels: ['other'] }, false],
    ['not a key that it has', { withoutLabels: ['stage'] }, false],
    ['not another value', { withoutLabels: ['stage=live'] }, true],
    ['not all of several', { withoutLabels: ['stage', 'other'] }, true],
    ['one key and not another', { labels: ['stage'], withoutLabels: ['other'] }, true],
  ])('removes by label: %s', async (_, criteria, goes) => {
    const bench = await openImageBench();
    const registry = await startRegistry();
    onTestFinished(async () => registry.close());
    const config = { Labels: { stage: 'test', empty: '' } };
    putImage(registry, 'app', 'v1', { layers: [await tarLayer({ file: 'x' })], config });
    const { imageId } = await pullImage(bench.engine, `${registry.host}/app:v1`);
    const { removed } = await pruneBench(bench, { all: true, ...criteria });
    expect(removed.some((event) => event.kind === 'deleted' && event.digest === imageId)).toBe(goes);
    expect(await bench.names()).toHaveLength(goes ? 0 : 1);
  });

  it('counts the newest use of an image that has several manifests', async () => {
    const bench = await openImageBench();
    const shared = [testBlob()];
    const one = await bench.add('a:1', { layers: shared, unusedFor: 20 * DAY });
    const other = { ...(await bench.add('b:1', { unusedFor: DAY })).record, imageId: one.record.imageId };
    await bench.engine.store.images.set(other);
    await pruneBench(bench, { unusedFor: 10 * DAY });
    expect(await bench.names()).toEqual(['a:1', 'b:1']);
  });

  it('S28 refuses where an image that stays cannot be read, and deletes nothing', async () => {
    const bench = await openImageBench();
    const damaged = await bench.add('damaged:1', { unusedFor: 0 });
    await bench.add('old:1', { unusedFor: 20 * DAY });
    await bench.add(undefined);
    const manifest = bench.engine.store.blobs.path(damaged.record.manifest);
    chmodSync(manifest, 0o644);
    truncateSync(manifest, 10);
    setLastUse(bench.engine, damaged, Date.now());
    const before = listTree(bench.engine.store.root);
    for (const criteria of [{}, { unusedFor: DAY }, { keepStorage: 1 }, { all: true, labels: ['x'] }]) {
      await expect(pruneBench(bench, criteria)).rejects.toMatchObject({
        code: 'ERR_STORE_DAMAGED',
        hint: expect.stringContaining('Nothing was deleted') as string,
      });
    }
    expect(listTree(bench.engine.store.root)).toEqual(before);
    await pruneBench(bench, { all: true }); // with its name, what it needs no longer matters
    expect(await bench.names()).toEqual([]);
  });

  it('S28 refuses where a container cannot be read, and deletes nothing', async () => {
    const bench = await openImageBench();
    const id = bench.contain(await bench.add('a:1'));
    await bench.add(undefined);
    writeFileSync(join(bench.engine.store.paths.containers, id, 'config.json'), '{');
    await expect(pruneBench(bench, { all: true })).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    expect(await bench.names()).toEqual(['a:1', undefined]);
  });

  it('removes partial downloads that nobody is at, and counts them', async () => {
    const bench = await openImageBench();
    const { store } = bench.engine;
    for (const content of ['begun and left', 'begun']) {
      const ingest = await store.blobs.ingest(testBlob(content).descriptor);
      await ingest?.write(Buffer.from('begun'));
      await ingest?.suspend();
    }
    const busy = await store.blobs.ingest(testBlob('begun').descriptor);
    expect((await prune({ home: store.root, dryRun: true })).reclaimedBytes).toBe(5);
    expect((await prune({ home: store.root })).reclaimedBytes).toBe(5);
    await busy?.commit();
    expect((await prune({ home: store.root })).reclaimedBytes).toBe(5);
  });

  it('I9 leaves a store as large as an empty one', async () => {
    const bench = await openImageBench();
    const { engine } = bench;
    await removeImage(engine, (await bench.add('first:1')).record.name); // makes the reserve for full disks
    const empty = listTree(engine.store.root);
    await bench.add('a:1');
    const { record } = await bench.add('b:1');
    await bench.add(undefined);
    const ingest = await engine.store.blobs.ingest(testBlob('content').descriptor);
    await ingest?.write(Buffer.from('con'));
    await ingest?.suspend();
    await removeImage(engine, record.name);
    await pruneBench(bench, { all: true });
    expect(listTree(engine.store.root)).toEqual(empty);
  });

  it('with dryRun tells what it then does, and does nothing', async () => {
    const layers = Array.from({ length: 4 }, (_, index) => testBlob(`layer ${index}`.repeat(index * 999 + 1)));
    const image = fc.record({
      named: fc.boolean(),
      layers: fc.subarray(layers, { minLength: 1 }),
      unusedFor: fc.integer({ min: -2, max: 9 }).map((days) => days * DAY),
      contained: fc.integer({ min: 0, max: 4 }).map((drawn) => drawn === 0),
    });
    const criteria = fc.record(
      {
        all: fc.boolean(),
        unusedFor: fc.integer({ min: 0, max: 9 }).map((days) => days * DAY - 1000),
        keepStorage: fc.integer({ min: 0, max: 150_000 }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(image, { minLength: 1, maxLength: 5 }), criteria, async (images, wanted) => {
        const bench = await openImageBench();
        const { store } = bench.engine;
        const contained: TestImage[] = [];
        for (const [index, traits] of images.entries()) {
          const added = await bench.add(traits.named ? `image-${index}:1` : undefined, traits);
          if (traits.contained) contained.push(added);
        }
        for (const used of contained) bench.contain(used);
        const before = listTree(store.root);
        const sizeBefore = await storedBytes(bench);
        const told = await pruneImages(bench.engine, { criteria: wanted, dryRun: true });
        expect(listTree(store.root)).toEqual(before);
        expect(await pruneBench(bench, wanted)).toEqual(told);
        expect(sizeBefore - (await storedBytes(bench))).toBe(told.reclaimedBytes);
        for (const used of contained) expect(isComplete(store, used)).toBe(true);
      }),
      { numRuns: rounds(25, 1000), seed },
    );
  });

  describe('decides when nobody can begin to use anything any more: it keeps', () => {
    it.each<[string, PruneCriteria, (bench: ImageBench, image: TestImage) => void]>([
      [
        'S12 an image that a container was made from while it waited',
        { all: true },
        ({ engine }, image) => {
          const id = 'f'.repeat(64);
          const { folder, lock } = createContainerFolder(engine.store.paths.containers, id);
          closeSync(lock);
          writeContainer(folder, id, image);
        },
      ],
      [
        'an image that was run or pulled while it waited',
        { unusedFor: DAY },
        ({ engine }, { record }) => recordUse(engine.store, record.manifest),
      ],
    ])('%s', async (_, criteria, use) => {
      const bench = await openImageBench();
      const image = await bench.add('a:1', { unusedFor: 9 * DAY });
      const running = await lockFile(bench.engine.store.paths.gcLock, 'shared');
      const pruned = pruneBench(bench, criteria);
      use(bench, image);
      running.release();
      expect(await pruned).toEqual({ removed: [], reclaimedBytes: 0 });
      expect(isComplete(bench.engine.store, image)).toBe(true);
      expect(await bench.names()).toEqual(['a:1']);
    });

    it('S11 an image that was named anew while it waited', async () => {
      const bench = await openImageBench();
      const image = await bench.add(undefined);
      const naming = await lockFile(bench.engine.store.paths.gcLock, 'shared');
      const pruned = pruneBench(bench);
      await bench.tag(image, 'named:1');
      naming.release();
      expect((await pruned).removed).toEqual([]);
      expect(isComplete(bench.engine.store, image)).toBe(true);
    });
  });

  it('S13 frees each thing once when several prune at once', async () => {
    const bench = await openImageBench();
    const image = await bench.add('a:1');
    const reports = await Promise.all([1, 2, 3].map(async () => pruneBench(bench, { all: true })));
    expect(reports.map(({ reclaimedBytes }) => reclaimedBytes).toSorted((a, b) => a - b)).toEqual([
      0,
      0,
      sizeOf(image),
    ]);
  });

  it('ends with ERR_ABORTED when the caller gives up, with nothing removed', async () => {
    const bench = await openImageBench();
    await bench.add('a:1');
    const options = { criteria: { all: true }, signal: AbortSignal.abort() };
    await expect(pruneImages(bench.engine, options)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(await bench.names()).toEqual(['a:1']);
  });
});

/** Of blobs as they are, and of layers as they say. */
async function storedBytes({ engine: { store } }: ImageBench): Promise<number> {
  let bytes = 0;
  for (const digest of store.blobs.list()) bytes += (await store.blobs.stat(digest))?.size ?? 0;
  for (const line of listTree(store.paths.layers)) {
    const done = /^\S+\/done(?= )/.exec(line)?.[0];
    if (done === undefined) continue;
    const path = join(store.paths.layers, done);
    if (existsSync(path)) bytes += (JSON.parse(readFileSync(path, 'utf8')) as { size: number }).size;
  }
  return bytes;
}
