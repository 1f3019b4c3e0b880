import { describe, expect, it } from 'vitest';

import { digestOf } from '../../src/oci/digest.ts';
import { encodeLayerInfo, parseLayerInfo, type LayerInfo } from '../../src/snapshot/layer-info.ts';

const diffId = digestOf(Buffer.from('diff'));
const manifest = { digest: digestOf(Buffer.from('manifest')), size: 4321 };
const INFO: LayerInfo = { diffId, size: 12_345, entries: 67, manifest };
const FIRST_VERSION = `{"diffId":"${diffId}","size":12345,"entries":67}\n`;

describe('parseLayerInfo()', () => {
  it('reads what encodeLayerInfo() writes', () => {
    expect(parseLayerInfo(encodeLayerInfo(INFO))).toEqual(INFO);
  });

  it('reads what the first version wrote', () => {
    expect(parseLayerInfo(FIRST_VERSION)).toEqual({ diffId, size: 12_345, entries: 67 });
  });

  it('S17 reads nothing with any bit flipped', () => {
    const bytes = Buffer.from(encodeLayerInfo(INFO));
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(parseLayerInfo(flipped.toString('latin1')), `bit ${bit}`).toBeUndefined();
    }
  });

  it('S18 reads nothing that was cut, at any length', () => {
    for (const text of [encodeLayerInfo(INFO), FIRST_VERSION]) {
      for (let length = 0; length < text.length; length += 1) {
        expect(parseLayerInfo(text.slice(0, length)), `${length} of ${text}`).toBeUndefined();
      }
    }
  });

  it.each([
    'null',
    '[]',
    '"text"',
    '{}\n',
    `{"diffId":"${diffId}","size":"1","entries":67}\n`,
    `{"diffId":"sha256:1","size":1,"entries":67}\n`,
    `{"diffId":"${diffId}","size":1,"entries":67,"manifest":null}\n`,
    `{"diffId":"${diffId}","size":1,"entries":67,"manifest":{"digest":"x","size":1}}\n`,
    `${FIRST_VERSION}${FIRST_VERSION}`,
    ` ${FIRST_VERSION}`,
  ])('reads nothing of another form: %j', (text) => {
    expect(parseLayerInfo(text)).toBeUndefined();
  });
});
