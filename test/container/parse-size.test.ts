import { describe, expect, it } from 'vitest';

import { parseSize } from '../../src/container/parse-size.ts';

describe('parseSize()', () => {
  it.each([
    ['0', 0],
    ['65536', 65_536],
    ['64m', 64 * 2 ** 20],
    ['64MB', 64 * 2 ** 20],
    ['64 MiB', 64 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['2k', 2048],
    ['10b', 10],
  ])('reads "%s"', (text, bytes) => expect(parseSize(text, 'shm-size')).toBe(bytes));

  it.each(['', 'm', '-1', '1x', '1e3', '0x10', '1 2', '99999p', '١'])('refuses "%s"', (text) => {
    expect(() => parseSize(text, 'shm-size')).toThrow(`invalid argument "${text}" for "--shm-size" flag`);
  });
});
