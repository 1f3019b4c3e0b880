import { describe, expect, it } from 'vitest';
import { progressBar } from '../../../src/cli/progress/progress-bar.ts';

describe('progressBar()', () => {
  // The table of jsonmessage_test.go.
  it.each([
    ['nothing', { current: 0, total: 0 }, '', ''],
    ['no total', { current: 1, total: 0 }, '      1B', '      1B'],
    [
      'time left',
      { current: 20, total: 100, secondsLeft: 4 },
      '     20B/100B 4s',
      '[==========>                                        ]      20B/100B 4s',
    ],
    [
      'no rate',
      { current: 50, total: 100 },
      '     50B/100B',
      '[=========================>                         ]      50B/100B',
    ],
    [
      'more than all',
      { current: 50, total: 40 },
      '     50B',
      '[==================================================>]      50B',
    ],
    [
      'all of it, and no time left',
      { current: 40, total: 40, secondsLeft: 0 },
      '     40B/40B',
      '[==================================================>]      40B/40B',
    ],
  ])('shows %s', (_, amount, short, long) => {
    expect(progressBar(amount, 100)).toBe(short);
    expect(progressBar(amount, 200)).toBe(long);
  });

  it('has a bar from 111 columns, and a time from 51', () => {
    const amount = { current: 20, total: 100, secondsLeft: 4 };
    expect([50, 51, 110, 111].map((columns) => progressBar(amount, columns))).toEqual([
      '     20B/100B',
      '     20B/100B 4s',
      '     20B/100B 4s',
      '[==========>                                        ]      20B/100B 4s',
    ]);
  });
});
