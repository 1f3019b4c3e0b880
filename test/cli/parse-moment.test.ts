import { describe, expect, it } from 'vitest';
import { parseMoment } from '../../src/cli/parse-moment.ts';

const NOW = Date.UTC(2024, 0, 2, 12);

describe('parseMoment()', () => {
  it.each([
    ['10m', NOW - 600_000],
    ['1h30m', NOW - 5_400_000],
    ['1.5h', NOW - 5_400_000],
    ['250ms', NOW - 250],
    ['1700000000', 1_700_000_000_000],
    ['1700000000.5', 1_700_000_000_500],
    ['2024-01-02T15:04:05Z', Date.UTC(2024, 0, 2, 15, 4, 5)],
    ['2024-01-02T15:04:05.25+02:00', Date.UTC(2024, 0, 2, 13, 4, 5, 250)],
    ['2024-01-02', new Date(2024, 0, 2).getTime()],
    ['2024-01-02T15', new Date(2024, 0, 2, 15).getTime()],
    ['2024-01-02T15:04', new Date(2024, 0, 2, 15, 4).getTime()],
  ])('reads %s', (text, moment) => {
    expect(parseMoment(text, NOW)).toBe(moment);
  });

  it.each(['', 'yesterday', '10x', '-1h', '2024-13-01', '2024-01-02T', '2024-01-02Z'])('refuses %j', (text) => {
    expect(parseMoment(text, NOW)).toBeUndefined();
  });
});
