import fs from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { longTimeout, rounds } from '../support/soak.ts';
import { collectGarbage } from '../../src/store/collect-garbage.ts';
import { encodeRecord } from '../../src/store/image-record.ts';
import { encodeIndexFile } from '../../src/store/index-file.ts';
import type { Store } from '../../src/store/open-store.ts';
import { openTestStore } from './open-test-store.ts';
import { NO_CONTAINERS } from './operations.ts';
import { testBlob, testImage } from './test-image.ts';

const FEW = rounds(500, 2500); // fewer take so little time that one collection of garbage by Node decides
const TIMES = 4;
/** Of what is linear, four times as much takes four times the time; of what is quadratic, sixteen times. */
const NOT_QUADRATIC = 10;

describe('a store with very many images', () => {
  it(
    'S24 lists them, finds one and collects garbage in time that grows with their number, not faster',
    async () => {
      const work = {
        list: async ({ images }: Store) => images.list(),
        find: async ({ images }: Store) => images.get('docker.io/library/image:1'),
        collect: async (store: Store) => collectGarbage(store, { roots: NO_CONTAINERS }),
      };
      const few = await fill(FEW);
      const many = await fill(FEW * TIMES);
      expect(await many.images.list()).toHaveLength(FEW * TIMES);
      for (const [name, run] of Object.entries(work)) {
        const [little, much] = [await leastTime(few, run), await leastTime(many, run)];
        expect(much / little, name).toBeLessThan(NOT_QUADRATIC);
      }
      expect(await many.images.list()).toHaveLength(FEW * TIMES);
    },
    longTimeout(120_000),
  );
});

/** A store with so many images of two layers, three blobs each of their own,. */
async function fill(count: number): Promise<Store> {
  const store = await openTestStore();
  const shared = testBlob('shared');
  const images = Array.from({ length: count }, (_, index) => testImage(`image:${index}`, [shared, testBlob()]));
  for (const { descriptor, bytes } of images.flatMap(({ blobs }) => blobs)) {
    fs.writeFileSync(store.blobs.path(descriptor.digest), bytes);
  }
  const entries = images.map(({ record }) => encodeRecord(record, undefined));
  fs.writeFileSync(
    join(dirname(store.paths.layers), 'index.json'),
    encodeIndexFile({ rest: { schemaVersion: 2 }, entries }),
  );
  return store;
}

/** The processor time of the fastest of some tries, in microseconds: what others do at this machine counts little. */
async function leastTime(store: Store, work: (store: Store) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let tries = 0; tries < 10; tries += 1) {
    const before = process.cpuUsage();
    await work(store);
    const { user, system } = process.cpuUsage(before);
    times.push(user + system);
  }
  return Math.min(...times);
}
