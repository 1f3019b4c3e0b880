import fs from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { digestHex } from '../../src/oci/digest.ts';
import { collectGarbage } from '../../src/store/collect-garbage.ts';
import { createLease } from '../../src/store/leases.ts';
import { rounds, seed } from '../support/soak.ts';
import { openTestStore } from './open-test-store.ts';
import { fill } from './operations.ts';
import { listBlobs, testBlob, testImage } from './test-image.ts';

describe('collectGarbage()', () => {
  it('deletes exactly what cannot be reached, in any store', async () => {
    const store = await openTestStore();
    const layer = Array.from({ length: 4 }, (_, index) => testBlob(`layer ${index}`));
    const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => {
      const used = layer.filter((_, bit) => ((index + 1) >> bit) & 1);
      return testImage(`${name}:1`, used.length === 0 ? [layer[0]!] : used);
    });
    const choice = fc.record({
      named: fc.subarray(all),
      leased: fc.subarray(all),
      used: fc.subarray(all),
    });
    await fc.assert(
      fc.asyncProperty(choice, async ({ named, leased, used }) => {
        for (const image of all) await fill(store, image);
        for (const { record } of all) await store.images.delete(record.name);
        for (const { record } of named) await store.images.set(record);
        const lease = await createLease(store);
        await lease.add(...leased.map(({ record }) => record.manifest));
        const manifests = used.map(({ record }) => record.manifest);
        await collectGarbage(store, { roots: async () => ({ manifests, layers: [] }) });
        const kept = [...named, ...leased, ...used];
        expect(listBlobs(store.blobs)).toEqual(
          [...new Set(kept.flatMap(({ blobs }) => blobs).map(({ descriptor }) => descriptor.digest))].sort(),
        );
        const chains = new Set(kept.flatMap(({ chain }) => chain).map(digestHex));
        expect(fs.readdirSync(store.paths.layers).sort()).toEqual([...chains].sort());
        await lease.release();
      }),
      { numRuns: rounds(20, 500), seed },
    );
  });
});
