import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fetchBlob } from '../../src/image/fetch-blob.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { NAME } from '../registry/open-repository.ts';
import { startMirrored } from '../registry/open-mirrored.ts';
import { openTestStore, wrongBlobs } from '../store/open-test-store.ts';
import type { Fault } from '../support/registry/index.ts';
import { longTimeout, rounds, seed } from '../support/soak.ts';

const SIZE = 100_000; // bytes: more than one chunk, and more than what counts as progress
const BLOB = Buffer.from(Array.from({ length: SIZE }, (_, index) => (index * 7) % 251));
const WRONG = Buffer.alloc(SIZE, 'x');
const MOST_REQUESTS = 60;

const cut = fc.integer({ min: 0, max: SIZE });

/** What may happen to a request anywhere, and goes away. */
const passing: fc.Arbitrary<Fault> = fc.oneof(
  cut.map((resetAfter) => ({ resetAfter })),
  fc.constantFrom<Fault>({ connection: 'reset' }, { status: 503 }, { status: 429, headers: { 'retry-after': '1' } }),
  cut.map((resetAfter): Fault => ({ ignoreRange: true, resetAfter })),
);

/** What a mirror may do on top of that. */
const hostile: fc.Arbitrary<Fault> = fc.oneof(
  passing,
  fc.constantFrom(401, 403, 404, 500, 204, 206, 416).map((status) => ({ status })),
  fc.constant<Fault>({ status: 200, body: WRONG }),
  cut.map((resetAfter): Fault => ({ status: 200, body: WRONG, resetAfter })),
  cut.map((length): Fault => ({ status: 200, body: BLOB.subarray(0, length), framing: 'chunked' })),
  cut.map((first): Fault => ({ headers: { 'content-range': `bytes ${first}-${SIZE - 1}/${SIZE}` } })),
  fc.constantFrom<Fault>(
    { raw: 'not HTTP' },
    { headers: { 'content-encoding': 'gzip' } },
    { status: 307, headers: { location: 'http://169.254.169.254/' } },
    { status: 200, body: Buffer.concat([BLOB, BLOB]), framing: 'close' },
  ),
);

const faults = (one: fc.Arbitrary<Fault>, most: number): fc.Arbitrary<Fault[]> => fc.array(one, { maxLength: most });

test(
  'fetchBlob() brings the blob whatever the mirrors do, as long as the registry comes to itself',
  { timeout: longTimeout(60_000) },
  async () => {
    const { upstream, mirrors, open } = await startMirrored({ mirrors: [{}, {}] });
    const { blobs, root } = await openTestStore();
    const descriptor = upstream.putBlob(NAME, BLOB);
    for (const mirror of mirrors) mirror.putBlob(NAME, BLOB);
    const registries = [...mirrors, upstream];
    const { signal } = new AbortController();
    const reference = parseReference(`localhost/${NAME}`);
    const scripts = fc.tuple(faults(hostile, 6), faults(hostile, 6), faults(passing, 3));
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        for (const [index, registry] of registries.entries()) {
          registry.log.length = 0;
          registry.faults.clear();
          registry.faults.add(...(script[index] ?? []));
        }
        const { client, repository } = await open();
        try {
          expect(await fetchBlob({ blobs, repository, descriptor, reference, signal })).toBe(true);
        } finally {
          await client.close();
        }
        expect(wrongBlobs(root)).toEqual([]);
        expect(registries.flatMap(({ log }) => log).length).toBeLessThan(MOST_REQUESTS);
        await blobs.delete(descriptor.digest);
      }),
      { seed, numRuns: rounds(60, 5000) },
    );
  },
);
