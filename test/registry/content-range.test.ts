import { describe, expect, test } from 'vitest';
import { parseContentRange } from '../../src/registry/content-range.ts';

describe('parseContentRange()', () => {
  test('R12 reads a range with its total', () => {
    expect(parseContentRange('bytes 5-9/10')).toEqual({ first: 5, last: 9, total: 10 });
    expect(parseContentRange('bytes 0-0/1')).toEqual({ first: 0, last: 0, total: 1 });
  });

  test.each([
    undefined,
    '',
    'bytes */100',
    'bytes 5-9/*',
    'bytes 9-5/10',
    'bytes 5-10/10',
    'bytes 5-9/10, bytes 5-9/10',
    'bytes=5-9/10',
    'BYTES 5-9/10',
    'bytes -5-9/10',
    'bytes 5-9/99999999999999999',
    'bytes 5-9/9999999999999999', // above 2^53
    'items 5-9/10',
    ' bytes 5-9/10',
  ])('R12 refuses %j', (header) => {
    expect(parseContentRange(header)).toBeUndefined();
  });
});
