import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { chainIds } from '../../src/oci/chain-id.ts';
import { digestOfText } from './support/documents.ts';

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

describe('chainIds()', () => {
  test('gives one ID per layer, as image-spec defines them', () => {
    const [a, b, c] = [digestOfText('a'), digestOfText('b'), digestOfText('c')];
    const ab = sha256(`${a} ${b}`);
    expect(chainIds([])).toEqual([]);
    expect(chainIds([a, b, c])).toEqual([a, ab, sha256(`${ab} ${c}`)]);
  });

  test('tells the same layer on different ones apart', () => {
    const [a, b, top] = [digestOfText('a'), digestOfText('b'), digestOfText('top')];
    expect(chainIds([a, top])[1]).not.toBe(chainIds([b, top])[1]);
    expect(chainIds([a, a])[1]).not.toBe(a);
  });
});
