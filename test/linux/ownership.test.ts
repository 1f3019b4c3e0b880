import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseOwnership, type OwnershipFacts } from '../../src/linux/ownership.ts';

const facts: OwnershipFacts = {
  uid: 1000,
  gid: 1000,
  privileged: false,
  mapsAnyId: false,
  idMapTools: true,
  ownUids: [{ inside: 0, outside: 0, count: 4_294_967_295 }],
  ownGids: [{ inside: 0, outside: 0, count: 4_294_967_295 }],
  subordinateUids: [],
  subordinateGids: [{ start: 100_000, count: 65_536 }],
};

describe('chooseOwnership()', () => {
  it('leaves out a range with the own id, which the kernel would refuse', () => {
    const ranges = [
      { start: 500, count: 1000 },
      { start: 100_000, count: 10 },
    ];
    const ownership = chooseOwnership({ ...facts, subordinateUids: ranges });
    expect(ownership).toMatchObject({
      uids: [
        { inside: 0, outside: 1000, count: 1 },
        { inside: 1, outside: 100_000, count: 10 },
      ],
    });
    expect(chooseOwnership({ ...facts, subordinateUids: ranges.slice(0, 1) }).kind).toBe('single');
  });

  it('takes no more ranges than the kernel', () => {
    const ranges = Array.from({ length: 400 }, (_, index) => ({ start: 100_000 + index * 10, count: 10 }));
    const ownership = chooseOwnership({ ...facts, subordinateUids: ranges });
    expect(ownership.kind === 'mapped' && ownership.uids.length).toBe(340);
  });

  it('maps an id inside to one outside, without gaps', () => {
    const range = fc.record({
      start: fc.integer({ min: 2000, max: 2 ** 31 }),
      count: fc.integer({ min: 1, max: 2 ** 20 }),
    });
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 10 }), (ranges) => {
        const ownership = chooseOwnership({ ...facts, subordinateUids: ranges });
        if (ownership.kind !== 'mapped') throw new Error('not mapped');
        let next = 0;
        for (const { inside, count } of ownership.uids) {
          expect(inside).toBe(next);
          next += count;
        }
        expect(ownership.uids.map(({ outside }) => outside)).toEqual([1000, ...ranges.map(({ start }) => start)]);
      }),
    );
  });
});
