import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { removeImage } from '../../../src/container/remove-image.ts';
import { pullImage } from '../../../src/image/pull-image.ts';
import { findRunnableImage } from '../../../src/image/runnable-image.ts';
import { requires } from '../../support/requirements.ts';
import { longTimeout, rounds } from '../../support/soak.ts';
import { startBench, unrepaired, type Bench } from './bench.ts';
import { flipBit } from './damage.ts';

describe('verify() of a store that is in use', requires('root'), () => {
  let bench: Bench;
  beforeAll(async () => (bench = await startBench()));
  afterAll(async () => bench.close());

  it(
    'S11 takes nothing for damage that others add or remove meanwhile',
    async () => {
      const others = whilePulledAndRemoved(bench);
      const verifications = async (deep: boolean): Promise<number> => {
        let count = 0;
        for (; !others.isOver(); count += 1) expect((await bench.verify({ deep })).findings).toEqual([]);
        return count;
      };
      const [shallow, deep] = await Promise.all([verifications(false), verifications(true), others.ended]);
      expect(Math.min(shallow, deep)).toBeGreaterThan(0);
    },
    longTimeout(60_000),
  );

  it('is repaired by several at once', async () => {
    const [low = '', middle = ''] = bench.layerFolders;
    for (const path of [`${low}/fs/etc/passwd`, `${middle}/done`, bench.blob(bench.digests.config)]) {
      flipBit(join(bench.root, path), 5);
    }
    const reports = await Promise.all([1, 2, 3].map(async () => bench.verify({ deep: true, repair: true })));
    expect(reports.flatMap(unrepaired)).toEqual([]);
    expect((await bench.verify({ deep: true })).findings).toEqual([]);
  });

  it('S12 does not call an image damaged that is being removed, nor one that is pulled again', async () => {
    const others = whilePulledAndRemoved(bench);
    const looks = async (): Promise<void> => {
      while (!others.isOver()) await findRunnableImage(bench.engine, bench.name); // or undefined, but no error
    };
    await Promise.all([looks(), others.ended]);
  });
});

/** Removes and pulls the image, again and again. */
function whilePulledAndRemoved({ engine, name }: Bench): { ended: Promise<void>; isOver(): boolean } {
  let isOver = false;
  const work = async (): Promise<void> => {
    for (let round = 0; round < rounds(5, 200); round += 1) {
      await removeImage(engine, name);
      await pullImage(engine, name);
    }
  };
  return { ended: work().finally(() => (isOver = true)), isOver: () => isOver };
}
