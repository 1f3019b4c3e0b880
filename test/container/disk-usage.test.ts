import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { containerSize } from '../../src/container/container-size.ts';
import { diskUsage } from '../../src/container/disk-usage.ts';
import type { DiskUsage } from '../../src/container/disk-usage.ts';
import { prune } from '../../src/container/prune.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { LAYER_SIZE } from '../store/operations.ts';
import { putAll, testBlob } from '../store/test-image.ts';
import { openImageBench } from './support/image-bench.ts';
import type { ImageBench } from './support/image-bench.ts';

const usageOf = async ({ engine }: ImageBench): Promise<DiskUsage> => diskUsage({ home: engine.store.root });
const NOTHING = { total: 0, active: 0, bytes: 0, reclaimableBytes: 0 };

describe('diskUsage()', () => {
  it('finds nothing in an empty store', async () => {
    expect(await usageOf(await openImageBench())).toEqual({
      images: { ...NOTHING, items: [] },
      containers: { ...NOTHING, items: [] },
      partialDownloads: NOTHING,
    });
  });

  it('counts once what images share, and as reclaimable what prune --all frees', async () => {
    const bench = await openImageBench();
    const shared = testBlob(Buffer.alloc(50_000, 1));
    const one = await bench.add('one:1', { layers: [shared, testBlob()] });
    const two = await bench.add('two:1', { layers: [shared, testBlob(), testBlob()] });
    await bench.tag(two, 'two:2');
    await bench.add(undefined);
    bench.contain(one);
    bench.contain(one, { status: 'running' });
    await putAll(bench.engine.store.blobs, [testBlob('no image needs it')]);
    const { images } = await usageOf(bench);
    expect(images).toMatchObject({ total: 3, active: 1 });
    const [first, second] = images.items;
    const sharedBytes = shared.bytes.length + LAYER_SIZE;
    expect(first).toMatchObject({ image: { name: one.record.name }, containers: 2, sharedBytes });
    expect(second).toMatchObject({ image: { name: two.record.name }, containers: 0, sharedBytes });
    expect(images.items[2]).toMatchObject({ image: { name: undefined, dangling: true }, sharedBytes: 0 });
    const sum = images.items.reduce((bytes, item) => bytes + item.bytes, 0);
    expect(images.bytes).toBe(sum - sharedBytes + 'no image needs it'.length);
    expect(images.reclaimableBytes).toBe(images.bytes - (first?.bytes ?? 0));
    const { reclaimedBytes } = await prune({ home: bench.engine.store.root, all: true });
    expect(reclaimedBytes).toBe(images.reclaimableBytes);
    expect((await usageOf(bench)).images).toMatchObject({ bytes: first?.bytes, reclaimableBytes: 0 });
  });

  it('counts what containers have written, and as reclaimable that of those that do not run', async () => {
    const bench = await openImageBench();
    const image = await bench.add('a:1');
    bench.contain(image, { status: 'running', bytes: 300 });
    const stopped = bench.contain(image, { bytes: 1234 });
    const { containers } = await usageOf(bench);
    expect(containers).toMatchObject({ total: 2, active: 1, bytes: 1534, reclaimableBytes: 1234 });
    expect(containers.items.find(({ container }) => container.id === stopped)).toMatchObject({
      bytes: 1234,
      incomplete: false,
    });
  });

  it('counts partial downloads, and which of them somebody is at', async () => {
    const bench = await openImageBench();
    const { blobs } = bench.engine.store;
    const left = await blobs.ingest(testBlob('abandoned').descriptor);
    await left?.write(Buffer.from('aban'));
    await left?.suspend();
    const busy = await blobs.ingest(testBlob('in progress').descriptor);
    await busy?.write(Buffer.from('in pro'));
    const { partialDownloads } = await usageOf(bench);
    await busy?.discard();
    expect(partialDownloads).toEqual({ total: 2, active: 1, bytes: 10, reclaimableBytes: 4 });
  });

  it('works on a store with damage, of which nothing could be reclaimed', async () => {
    const bench = await openImageBench();
    const { store } = bench.engine;
    const image = await bench.add('a:1');
    bench.contain(image);
    await bench.add('b:1');
    const [chainId = ''] = image.chain;
    rmSync(join(store.paths.layers, chainId.slice('sha256:'.length), 'done'));
    const manifest = store.blobs.path(image.record.manifest);
    chmodSync(manifest, 0o644);
    truncateSync(manifest, 5);
    const { images } = await usageOf(bench);
    expect(images).toMatchObject({ total: 2, active: 1, reclaimableBytes: 0 });
    await expect(prune({ home: store.root })).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
  });
});

describe('containerSize()', () => {
  it('counts hard links once, sparse files by what they take, and nothing outside', async () => {
    const folder = await temporaryFolder();
    const upper = join(folder, 'upper');
    mkdirSync(join(upper, 'deep/er'), { recursive: true });
    writeFileSync(join(upper, 'deep/er/one'), 'x'.repeat(1000));
    linkSync(join(upper, 'deep/er/one'), join(upper, 'deep/two'));
    writeFileSync(join(upper, 'sparse'), '');
    truncateSync(join(upper, 'sparse'), 1_000_000_000);
    writeFileSync(join(folder, 'outside'), 'x'.repeat(5000));
    symlinkSync('..', join(upper, 'up'));
    mkdirSync(join(folder, 'rootfs'));
    writeFileSync(join(folder, 'rootfs/copied'), 'x'.repeat(70));
    const { bytes, incomplete } = await containerSize(folder);
    expect(incomplete).toBe(false);
    expect(bytes).toBeOneOf([1070, 1070 + '..'.length]); // most file systems keep a short link in the inode
  });

  it('follows no link in place of a folder, and finds nothing where there is none', async () => {
    const folder = await temporaryFolder();
    expect(await containerSize(folder)).toEqual({ bytes: 0, incomplete: false });
    symlinkSync('/usr', join(folder, 'upper'));
    expect(await containerSize(folder)).toEqual({ bytes: 0, incomplete: false });
  });

  it('says that it has not seen all of a tree that is too deep', async () => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, 'upper', ...Array.from({ length: 250 }, () => 'd')), { recursive: true });
    writeFileSync(join(folder, 'upper/d/file'), 'x');
    expect(await containerSize(folder)).toEqual({ bytes: 1, incomplete: true });
  });
});
