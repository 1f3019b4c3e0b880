import { describe, expect, test } from 'vitest';
import { parseRetryAfter } from '../../src/registry/retry-after.ts';

const NOW = Date.UTC(2024, 0, 2, 3, 4, 5);

describe('parseRetryAfter()', () => {
  test.each([
    ['2', 2000],
    [' 30 ', 30_000],
    ['1000000000', 1_000_000_000_000],
    ['0', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
    ['Tue, 02 Jan 2024 03:04:35 GMT', 30_000],
    ['Tue, 02 Jan 2024 03:04:04 GMT', undefined],
    ['Tue, 02 Jan 2024 03:04:35 +0100', undefined],
    ['Tue, 99 Jan 2024 03:04:35 GMT', undefined],
    ['2024-01-02T03:04:35Z', undefined],
  ])('R52 reads %j as %j', (header, expected) => {
    expect(parseRetryAfter(header, NOW)).toBe(expected);
  });
});
