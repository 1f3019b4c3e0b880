import { describe, expect, it } from 'vitest';
import { parseDuration, parseLongDuration } from '../../src/cli/parse-duration.ts';

describe('parseDuration() and parseLongDuration()', () => {
  it.each([
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['100ms', 100],
    ['2000us', 2],
    ['14d', 14 * 86_400_000, false],
    ['2w', 14 * 86_400_000, false],
    ['1w1d1h', 8 * 86_400_000 + 3_600_000, false],
    ['0s', 0],
  ])('read %j', (text, milliseconds, isGo = true) => {
    expect(parseLongDuration(text)).toBe(milliseconds);
    expect(parseDuration(text)).toBe(isGo ? milliseconds : undefined);
  });

  it.each(['', '14', 'd', '1 d', '-1d', '1y', '1M', '1d2', 'x1d', '1..5h', '1dd', '１d'])('refuse %j', (text) => {
    expect(parseLongDuration(text)).toBeUndefined();
  });
});
