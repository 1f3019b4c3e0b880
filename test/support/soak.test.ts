import { describe, expect, it } from 'vitest';

import { isSoak, longTimeout, rounds, seed } from './soak.ts';

describe('soak', () => {
  it('seed is handed to every worker', () => {
    expect(String(seed)).toBe(process.env['MYDOCKER_SEED']);
  });

  it('rounds() takes the long count in a soak, and the normal one otherwise', () => {
    expect(rounds(3, 1000)).toBe(isSoak ? 1000 : 3);
    expect(longTimeout(20_000)).toBeGreaterThanOrEqual(20_000);
  });
});
