import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { keepIds } from '../../src/linux/keep-ids.ts';
import type { IdRange, Ownership } from '../../src/linux/ownership.ts';

const ORDINARY: IdRange[] = [
  { inside: 0, outside: 1000, count: 1 },
  { inside: 1, outside: 100_000, count: 65_536 },
];
const MAPPED: Ownership = { kind: 'mapped', uids: ORDINARY, gids: ORDINARY };
const HOST = { uid: 1000, gid: 1000, ownership: MAPPED };

describe('keepIds()', () => {
  it('leaves the caller its number, and puts the subordinate ids around it', () => {
    const map = [
      { inside: 0, outside: 100_000, count: 1000 },
      { inside: 1000, outside: 1000, count: 1 },
      { inside: 1001, outside: 101_000, count: 64_536 },
    ];
    const ids = { uid: 1000, gid: 1000 };
    expect(keepIds(HOST, {})).toMatchObject({
      ownership: { kind: 'mapped', uids: map, gids: map, caller: ids },
      user: ids,
      needsCopy: true,
    });
  });

  it('takes the numbers that are wanted', () => {
    const { ownership, user } = keepIds(HOST, { uid: 1, gid: 70_000 });
    expect(user).toEqual({ uid: 1, gid: 70_000 });
    expect(ownership).toMatchObject({
      uids: [
        { inside: 0, outside: 100_000, count: 1 },
        { inside: 1, outside: 1000, count: 1 },
        { inside: 2, outside: 100_001, count: 65_535 },
      ],
      gids: [
        { inside: 0, outside: 100_000, count: 65_536 },
        { inside: 70_000, outside: 1000, count: 1 },
      ],
    });
  });

  it('has nothing to change where the caller is root already', () => {
    expect(keepIds(HOST, { uid: 0, gid: 0 })).toEqual({
      ownership: MAPPED,
      user: { uid: 0, gid: 0 },
      needsCopy: false,
    });
  });

  it('keeps the one id that there is', () => {
    const ownership: Ownership = { kind: 'single', uid: 1000, gid: 100 };
    const ids = { uid: 1000, gid: 100 };
    expect(keepIds({ ...HOST, gid: 100, ownership }, {})).toEqual({
      ownership: { ...ownership, caller: ids },
      user: ids,
      needsCopy: false,
    });
  });

  it('gives root a user namespace with all ids as they are', () => {
    const all = [{ inside: 0, outside: 0, count: 4_294_967_295 }];
    const root = { uid: 0, gid: 0, ownership: { kind: 'root' } } as const;
    const ownership = { kind: 'mapped', uids: all, gids: all };
    expect(keepIds(root, {})).toEqual({ ownership, user: { uid: 0, gid: 0 }, needsCopy: true });
    expect(keepIds(root, { uid: 5 })).toEqual({ ownership, user: { uid: 5, gid: 0 }, needsCopy: true });
  });

  it('maps every id once, the caller to itself, and owners to what the container’s map takes them to', () => {
    const ranges = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 200 }), (counts, own) => {
        const ordinary: IdRange[] = [{ inside: 0, outside: 7, count: 1 }];
        let inside = 1;
        for (const [index, count] of counts.entries()) {
          ordinary.push({ inside, outside: 1000 * (index + 1), count });
          inside += count;
        }
        const host = { uid: 7, gid: 7, ownership: { kind: 'mapped', uids: ordinary, gids: ordinary } } as const;
        const { ownership, owners } = keepIds(host, { uid: own, gid: own });
        const kept = ownership.kind === 'mapped' ? [...pairs(ownership.uids)] : [];
        expect(new Map(kept).get(own)).toBe(7);
        expect(new Set(kept.map(([id]) => id)).size).toBe(kept.length);
        expect(new Set(kept.map(([, id]) => id)).size).toBe(kept.length);
        expect(kept.length).toBe(inside); // no id of the caller's is lost
        const outside = new Map(pairs(ordinary));
        for (const [image, id] of pairs(owners?.uids ?? [])) expect(outside.get(id)).toBe(new Map(kept).get(image));
      }),
    );
  });
});

function* pairs(ranges: readonly IdRange[]): Generator<[inside: number, outside: number]> {
  for (const { inside, outside, count } of ranges) {
    for (let index = 0; index < count; index += 1) yield [inside + index, outside + index];
  }
}
