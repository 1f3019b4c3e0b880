import { describe, expect, it } from 'vitest';
import { formatSignificant, humanSize } from '../src/human-size.ts';

describe('humanSize()', () => {
  // The first rows are those of go-units' size_test.go, the others what docker 28.2 printed.
  it.each([
    [1000, 4, '1kB'],
    [1024, 4, '1.024kB'],
    [1_000_000, 4, '1MB'],
    [1_048_576, 4, '1.049MB'],
    [2_000_000, 4, '2MB'],
    [3.42e9, 4, '3.42GB'],
    [5.372e12, 4, '5.372TB'],
    [2.22e15, 4, '2.22PB'],
    [1e28, 4, '1e+04YB'],
    [0, 3, '0B'],
    [9, 3, '9B'],
    [999, 3, '999B'],
    [72_900_000, 3, '72.9MB'],
    [1_090_000_000, 3, '1.09GB'],
    [999_499, 3, '999kB'],
    [999_500, 3, '1e+03kB'],
    [999_950, 4, '1000kB'],
    [144_900_000, 4, '144.9MB'],
  ])('%d with %d digits is docker’s', (bytes, digits, text) => {
    expect(humanSize(bytes, digits)).toBe(text);
  });

  it.each([
    [1125, '1.12kB'],
    [1135, '1.14kB'],
    [1_115_000, '1.11MB'], // 1.115 is a little less than that in binary
    [12_250, '12.2kB'],
    [12_750, '12.8kB'],
  ])('rounds the tie %d to the even digit, as Go does', (bytes, text) => {
    expect(humanSize(bytes, 3)).toBe(text);
  });
});

describe('formatSignificant()', () => {
  it.each([
    [0, 3, '0'],
    [0.5, 3, '0.5'],
    [0.00012345, 3, '0.000123'],
    [0.000012345, 3, '1.23e-05'],
    [-2.5, 2, '-2.5'],
    [1234, 2, '1.2e+03'],
    [99.96, 3, '100'],
  ])('formats %d with %d digits', (value, digits, text) => {
    expect(formatSignificant(value, digits)).toBe(text);
  });
});
