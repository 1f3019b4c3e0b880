import { describe, expect, it } from 'vitest';
import { parseSize } from '../../src/cli/parse-size.ts';

describe('parseSize()', () => {
  it.each([
    ['0', 0],
    ['1000', 1000],
    ['12B', 12],
    ['10GB', 10e9],
    ['10gb', 10e9],
    ['10G', 10e9],
    ['1.5 MB', 1.5e6],
    ['64KiB', 65_536],
    ['2Gi', 2 * 1024 ** 3],
    ['1TB', 1e12],
    ['0.1kB', 100],
    ['', undefined],
    ['GB', undefined],
    ['-1GB', undefined],
    ['1e9', undefined],
    ['1iB', undefined],
    ['10XB', undefined],
    ['1  GB', undefined],
    ['1.GB', undefined],
    ['99999999999999999999', undefined],
    ['Infinity', undefined],
  ])('reads %j as %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
});
