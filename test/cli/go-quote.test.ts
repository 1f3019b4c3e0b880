import { describe, expect, it } from 'vitest';
import { goQuote } from '../../src/cli/go-quote.ts';

describe('goQuote()', () => {
  it.each([
    ['sh -c "a\\b"', '"sh -c \\"a\\\\b\\""'],
    ['a\tb\n', '"a\\tb\\n"'],
    ['\x1b[31m', '"\\x1b[31m"'],
    ['\x7f', '"\\x7f"'],
    ['é日', '"é日"'],
    ['\u200b\u202e', '"\\u200b\\u202e"'],
    ['\u00a0', '"\\u00a0"'],
    ['\u{e0001}', '"\\U000e0001"'],
  ])('quotes %j as strconv.Quote', (text, quoted) => {
    expect(goQuote(text)).toBe(quoted);
  });
});
