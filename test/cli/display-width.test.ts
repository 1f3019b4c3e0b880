import { describe, expect, it } from 'vitest';
import { displayWidth, ellipsis } from '../../src/cli/display-width.ts';

describe('displayWidth()', () => {
  it.each([
    ['', 0],
    ['alpine', 6],
    ['日本', 4],
    ['e\u0301', 1],
    ['…', 1],
    ['😀', 2],
  ])('%j takes %d columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('ellipsis()', () => {
  it.each([
    ['short', 20, 'short'],
    ['exactly twenty chars', 20, 'exactly twenty chars'],
    ['/bin/sh -c "echo hi there"', 20, '/bin/sh -c "echo hi…'],
    ['日本語日本語日本語日本語', 20, '日本語日本語日本語…'],
  ])('cuts %j to %d columns', (text, columns, cut) => {
    expect(ellipsis(text, columns)).toBe(cut);
  });
});
