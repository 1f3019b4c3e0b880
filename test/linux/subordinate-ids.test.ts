import { describe, expect, it } from 'vitest';
import {
  allSubordinateIds,
  nextFreeRange,
  parseSubordinateIds,
  parseUserName,
} from '../../src/linux/subordinate-ids.ts';

describe('parseSubordinateIds()', () => {
  const user = { name: 'ann', uid: 1000 };

  it('finds the lines of a user by name and by number, in their order', () => {
    const text = 'root:1:2\nann:100000:65536\n1000:200000:5\nanna:3:4\n\n# ann:7:8\nann:300000:1';
    expect(parseSubordinateIds(text, user)).toEqual([
      { start: 100_000, count: 65_536 },
      { start: 200_000, count: 5 },
      { start: 300_000, count: 1 },
    ]);
  });

  it.each([
    'ann:1',
    'ann:1:2:3',
    'ann:x:2',
    'ann:-1:2',
    'ann:1:0',
    'ann:1.5:2',
    'ann:4294967295:1',
    'ann:4294967294:2',
    ':1:2',
    'ann::',
  ])('leaves out %s', (line) => {
    expect(parseSubordinateIds(line, user)).toEqual([]);
  });

  it('finds a user without a name by number alone', () => {
    expect(parseSubordinateIds('undefined:1:2\n1000:3:4', { name: undefined, uid: 1000 })).toEqual([
      { start: 3, count: 4 },
    ]);
  });
});

describe('parseUserName()', () => {
  it('finds the first user of a number', () => {
    const text = 'root:x:0:0:root:/root:/bin/sh\nann:x:1000:100::/:\nalso:x:1000:100::/:\nbob:x:10:1000::/:\n';
    expect(parseUserName(text, 1000)).toBe('ann');
    expect(parseUserName(text, 0)).toBe('root');
    expect(parseUserName(text, 100)).toBeUndefined();
    expect(parseUserName('', 0)).toBeUndefined();
  });
});

describe('allSubordinateIds()', () => {
  it('finds the lines of all users', () => {
    expect(allSubordinateIds('ann:1:2\n# no\n1000:3:4\n')).toEqual([
      { owner: 'ann', start: 1, count: 2 },
      { owner: '1000', start: 3, count: 4 },
    ]);
  });
});

describe('nextFreeRange()', () => {
  it.each([
    [[''], 100_000],
    [['ann:100000:65536\n', ''], 165_536],
    [['ann:100000:65536\n', 'bob:165536:65536\n'], 231_072],
    [['bob:165536:65536\nann:100000:65536\n'], 231_072],
    [['ann:120000:1\n'], 120_001],
    [['ann:1:99999\nbob:1000000000:65536\n'], 100_000],
  ])('in %j starts at %i', (texts, start) => {
    expect(nextFreeRange(texts)).toEqual({ start, count: 65_536 });
  });
});
