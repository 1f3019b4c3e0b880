import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { digestOf } from '../../src/oci/digest.ts';
import { requires } from '../support/requirements.ts';
import { longTimeout, rounds, seed } from '../support/soak.ts';
import { frame } from '../support/tar/framing.ts';
import { startApplyServer, type ApplyServer } from './support/apply-client.ts';
import { archivesToMutate } from './support/fuzz-archives.ts';
import { randomFrom, type Random } from './support/random.ts';
import { mutateArchive, mutateBytes } from './support/mutations.ts';

/** What a layer may be refused with; everything else is an accident. */
const REFUSALS = ['ERR_LAYER', 'ERR_LIMIT', 'ERR_INTEGRITY', 'ERR_UNSUPPORTED'];

describe('applyLayer() of mutated archives', requires('root'), () => {
  let server: ApplyServer;
  let archives: Buffer[];

  beforeAll(async () => {
    server = await startApplyServer();
    archives = await archivesToMutate();
  });

  afterAll(async () => server.stop());

  it(
    'P1, P2, P4, P5: unpacks or refuses, in time, and harms nothing',
    async () => {
      const random = randomFrom(seed);
      for (let round = 0; round < rounds(1000, 60_000); round += 1) {
        const [below, above] = [random.pick(archives), mutateArchive(random, archives)];
        await expectHarmless(
          `round ${round}`,
          [below, above].map((bytes) => ({ bytes, blob: wrapped(random, bytes) })),
        );
      }
    },
    longTimeout(120_000),
  );

  it(
    'P1, P4, P5: survives what is wrong with a compressed stream',
    async () => {
      const random = randomFrom(seed + 1);
      for (let round = 0; round < rounds(500, 30_000); round += 1) {
        const bytes = random.pick(archives);
        await expectHarmless(`round ${round}`, [
          { bytes, blob: mutateBytes(random, wrapped(random, bytes), archives) },
        ]);
      }
    },
    longTimeout(120_000),
  );

  async function expectHarmless(name: string, layers: { bytes: Buffer; blob: Buffer }[]): Promise<void> {
    const request = layers.map(({ bytes, blob }) => ({ blob: blob.toString('base64'), diffId: digestOf(bytes) }));
    const answer = await server.apply({ layers: request, form: 'trusted' });
    const found = JSON.stringify(request);
    if ('broken' in answer) throw new Error(`${name}: ${answer.broken}\n${found}`);
    if (!('refused' in answer)) {
      expect(answer.overlay, found).toEqual(answer.copy);
      return;
    }
    const { code, message, entry, index } = answer.refused;
    expect(REFUSALS, `${name}: ${message}\n${found}`).toContain(code);
    // eslint-disable-next-line no-control-regex -- none of those may reach a terminal
    expect(message, found).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    if (entry !== undefined) expect(index, found).toBeGreaterThanOrEqual(0);
  }
});

function wrapped(random: Random, bytes: Buffer): Buffer {
  return random.pick([
    () => bytes,
    () => bytes,
    () => gzipSync(bytes, { level: 1 }),
    () => frame(bytes, 'gzip in two members'),
    () => frame(bytes, { zstdBlock: 513 }),
  ])();
}
