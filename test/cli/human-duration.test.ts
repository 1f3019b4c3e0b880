import { describe, expect, it } from 'vitest';
import { clockDuration, humanDuration } from '../../src/cli/human-duration.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const MONTH = 30 * DAY;
const YEAR = 365 * DAY;

describe('humanDuration()', () => {
  // The table of go-units' duration_test.go.
  it.each([
    ['Less than a second', 450],
    ['1 second', SECOND],
    ['45 seconds', 45 * SECOND],
    ['59 seconds', 59 * SECOND],
    ['About a minute', 60 * SECOND],
    ['3 minutes', 3 * MINUTE],
    ['35 minutes', 35 * MINUTE + 40 * SECOND],
    ['59 minutes', 59 * MINUTE],
    ['About an hour', HOUR],
    ['About an hour', HOUR + 29 * MINUTE],
    ['2 hours', HOUR + 31 * MINUTE],
    ['3 hours', 3 * HOUR + 29 * MINUTE],
    ['4 hours', 3 * HOUR + 31 * MINUTE],
    ['24 hours', DAY],
    ['36 hours', DAY + 12 * HOUR],
    ['2 days', 2 * DAY],
    ['7 days', WEEK],
    ['13 days', 13 * DAY + 5 * HOUR],
    ['2 weeks', 2 * WEEK],
    ['2 weeks', 2 * WEEK + 4 * DAY],
    ['4 weeks', MONTH],
    ['6 weeks', MONTH + 2 * WEEK],
    ['2 months', 2 * MONTH],
    ['5 months', 5 * MONTH + 2 * WEEK],
    ['24 months', 24 * MONTH],
    ['2 years', 24 * MONTH + 2 * WEEK],
    ['3 years', 3 * YEAR + 2 * MONTH],
  ])('says %s', (text, milliseconds) => {
    expect(humanDuration(milliseconds)).toBe(text);
  });

  it('takes a clock that was set back for no time at all', () => {
    expect(humanDuration(-5 * SECOND)).toBe('Less than a second');
  });
});

describe('clockDuration()', () => {
  it.each([
    [0, '0s'],
    [4.4, '4s'],
    [65, '1m5s'],
    [3600, '1h0m0s'],
    [7209, '2h0m9s'],
    [-1, '0s'],
  ])('writes %d seconds as Go does', (seconds, text) => {
    expect(clockDuration(seconds)).toBe(text);
  });
});
