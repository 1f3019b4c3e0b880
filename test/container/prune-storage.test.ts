import { describe, expect, it } from 'vitest';

import { prune } from '../../src/container/prune.ts';
import { LAYER_SIZE } from '../store/operations.ts';
import { testBlob } from '../store/test-image.ts';
import { DAY, openImageBench, pruneBench, sizeOf } from './support/image-bench.ts';

describe('pruneImages() with keepStorage', () => {
  it('removes what was used longest ago, until the rest fits', async () => {
    const bench = await openImageBench();
    const images = [];
    for (const age of [3, 1, 4, 2]) images.push(await bench.add(`used-${age}:1`, { unusedFor: age * DAY }));
    const size = sizeOf(images[0]!);
    expect((await pruneBench(bench, { keepStorage: 4 * size + 9 })).removed).toEqual([]);
    expect((await pruneBench(bench, { keepStorage: 2 * size + 9 })).reclaimedBytes).toBe(2 * size);
    expect(await bench.names()).toEqual(['used-1:1', 'used-2:1']);
    await pruneBench(bench, { keepStorage: size - 9 });
    expect(await bench.names()).toEqual([]);
  });

  it('counts once what images share, and frees it with the last of them', async () => {
    const bench = await openImageBench();
    const shared = testBlob(Buffer.alloc(100_000, 1));
    const one = await bench.add('one:1', { layers: [shared, testBlob()], unusedFor: 3 * DAY });
    await bench.add('two:1', { layers: [shared, testBlob()], unusedFor: 2 * DAY });
    const both = 2 * sizeOf(one) - shared.bytes.length - LAYER_SIZE;
    expect((await pruneBench(bench, { keepStorage: both + 9 })).removed).toEqual([]);
    const { reclaimedBytes } = await pruneBench(bench, { keepStorage: both - 9 });
    expect(reclaimedBytes).toBe(both - sizeOf(one));
    expect(await bench.names()).toEqual(['two:1']);
  });

  it('goes on where the first to go frees little, as others share its layers', async () => {
    const bench = await openImageBench();
    const shared = testBlob(Buffer.alloc(100_000, 1));
    await bench.add('one:1', { layers: [shared, testBlob()], unusedFor: 3 * DAY });
    await bench.add('two:1', { layers: [shared, testBlob()], unusedFor: 2 * DAY });
    const small = await bench.add('small:1', { layers: [testBlob()], unusedFor: DAY });
    await pruneBench(bench, { keepStorage: sizeOf(small) + shared.bytes.length });
    expect(await bench.names()).toEqual(['small:1']);
  });

  it('removes dangling images first, and never what a container uses, which counts all the same', async () => {
    const bench = await openImageBench();
    const used = await bench.add('used:1', { unusedFor: 9 * DAY });
    bench.contain(used);
    await bench.add('old:1', { unusedFor: 5 * DAY });
    await bench.add(undefined, { unusedFor: DAY });
    await pruneBench(bench, { keepStorage: 2 * sizeOf(used) + 9 });
    expect(await bench.names()).toEqual(['used:1', 'old:1']);
    await pruneBench(bench, { keepStorage: 1 });
    expect(await bench.names()).toEqual(['used:1']);
  });

  it('takes a use in the future for one just now', async () => {
    const bench = await openImageBench();
    const future = await bench.add('future:1', { unusedFor: -9 * DAY });
    await bench.add('old:1', { unusedFor: DAY });
    await pruneBench(bench, { keepStorage: sizeOf(future) + 9 });
    expect(await bench.names()).toEqual(['future:1']);
  });
});

describe('prune()', () => {
  it.each([{ keepStorage: Number.NaN }, { keepStorage: -1 }, { unusedFor: Number.NaN }])(
    'refuses %j before it removes anything',
    async (criteria) => {
      const bench = await openImageBench();
      await bench.add('a:1');
      const home = bench.engine.store.root;
      await expect(prune({ home, ...criteria })).rejects.toMatchObject({ code: 'ERR_USAGE' });
      expect(await bench.names()).toEqual(['a:1']);
    },
  );
});
