import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Refusal } from '../../src/layer/refusal.ts';
import { rounds, seed } from '../support/soak.ts';
import { archive, file, folder, gnuLong, pax, rawHeader, symlink, ZERO_BLOCK } from '../support/tar/raw-tar.ts';
import { readTar } from './support/read-tar.ts';

const MIXED = archive(
  folder('d/'),
  file('d/empty', ''),
  file('d/511', 'a'.repeat(511)),
  file('d/512', 'b'.repeat(512)),
  file('d/1300', 'c'.repeat(1300)),
  pax({ path: 'p'.repeat(600), 'SCHILY.xattr.user.a': 'v' }),
  file('short', 'content'),
  gnuLong('L', 'l'.repeat(1000)),
  symlink('short', 'target'),
  pax({ 'GNU.sparse.numblocks': 2, 'GNU.sparse.map': '10,600,2000,3', 'GNU.sparse.size': 4000 }),
  file('sparse', 's'.repeat(603)),
);

const REFUSED = Buffer.concat([file('a', 'x'), pax({ path: 'p' }), rawHeader({ type: 'A' }), ZERO_BLOCK, ZERO_BLOCK]);

describe('createTarReader() in pieces (P6)', () => {
  it.each([1, 2, 7, 511, 512, 513, 1000, 4096])('of %d bytes finds the same', (pieceSize) => {
    expect(readTar(MIXED, pieceSize)).toEqual(readTar(MIXED));
    expect(() => readTar(REFUSED, pieceSize)).toThrow(Refusal);
  });

  it('of any size, cut anywhere, answers the same or refuses the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 0, max: MIXED.length }), (pieceSize, length) => {
        const cut = MIXED.subarray(0, length);
        expect(outcomeOf(cut, pieceSize)).toEqual(outcomeOf(cut, MIXED.length));
      }),
      { numRuns: rounds(300, 10_000), seed },
    );
  });

  it('with bytes changed anywhere refuses or reads, and never throws anything else', () => {
    const changes = fc.array(fc.tuple(fc.nat(MIXED.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(changes, fc.boolean(), (bytes, isSigned) => {
        const changed = Buffer.from(MIXED);
        for (const [at, value] of bytes) changed[at] = value;
        if (isSigned) for (let at = 0; at + 512 <= changed.length; at += 512) sign(changed.subarray(at, at + 512));
        expect(outcomeOf(changed, 512)).toEqual(outcomeOf(changed, 65_536));
      }),
      { numRuns: rounds(2000, 100_000), seed },
    );
  });
});

/** Gives a block the checksum that it should have, so that what is wrong in it is looked at. */
function sign(block: Buffer): void {
  if (block.toString('latin1', 257, 262) !== 'ustar') return;
  block.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

function outcomeOf(bytes: Buffer, pieceSize: number): unknown {
  try {
    return readTar(bytes, pieceSize);
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    if (error instanceof RangeError && error.message.includes('Array buffer allocation'))
      return 'a file too large for this test';
    throw error;
  }
}
