import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { isToolError } from '../../../src/errors.ts';
import { requires } from '../../support/requirements.ts';
import { longTimeout, rounds, seed } from '../../support/soak.ts';
import { startBench, type Bench } from './bench.ts';
import { flipBit } from './damage.ts';

describe('verify()', requires('root'), () => {
  let bench: Bench;
  beforeAll(async () => (bench = await startBench()));
  afterAll(async () => bench.close());

  it.each([
    [
      'the metadata',
      /^(index\.json|store\.json|oci-layout|layers\/[0-9a-f]+\/(done|manifest))$/,
      false,
      rounds(150, 20_000),
    ],
    ['the blobs', /^blobs\//, false, rounds(50, 5000)],
    ['the layers', /^layers\/[0-9a-f]+\/(fs\/|passwd$|group$)/, true, rounds(10, 2000)],
  ])(
    'S17 I1 I2 finds any flipped bit in %s',
    async (_, pattern, deep, numRuns) => {
      const files = filesOf(bench.root).filter((path) => pattern.test(path));
      expect(files).not.toEqual([]);
      const places = fc.record({
        file: fc.constantFrom(...files),
        place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      });
      await fc.assert(
        fc.asyncProperty(places, async ({ file, place }) => {
          const path = join(bench.root, file);
          const bit = Math.floor(place * lstatSync(path).size * 8);
          flipBit(path, bit);
          try {
            expect(await problems(bench, deep)).not.toEqual([]);
          } finally {
            flipBit(path, bit);
          }
        }),
        { seed, numRuns },
      );
      expect(await problems(bench, true)).toEqual([]);
    },
    longTimeout(60_000),
  );
});

/** What `verify` says, also if that is that it cannot open the store. */
async function problems(bench: Bench, deep: boolean): Promise<unknown[]> {
  try {
    return (await bench.verify({ deep })).findings;
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED', 'ERR_STORE')) return [error];
    throw error;
  }
}

/** Regular files that are not empty. */
function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => lstatSync(path).size > 0)
    .map((path) => path.slice(root.length + 1));
}
