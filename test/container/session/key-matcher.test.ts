import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createKeyMatcher } from '../../../src/container/session/key-matcher.ts';

const CTRL_P = '\x10';
const CTRL_Q = '\x11';
const DEFAULT = CTRL_P + CTRL_Q;

/** What is passed on of each piece; `detached` at the end of the sequence. */
function passedOn(sequence: string, pieces: readonly string[]): string[] {
  const match = createKeyMatcher(Buffer.from(sequence, 'latin1'));
  const passed: string[] = [];
  for (const piece of pieces) {
    const { keys, isComplete } = match(Buffer.from(piece, 'latin1'));
    passed.push(Buffer.from(keys).toString('latin1'));
    if (isComplete) return [...passed, 'detached'];
  }
  return passed;
}

describe('createKeyMatcher()', () => {
  it.each([
    ['other keys', DEFAULT, ['ls\r'], ['ls\r']],
    ['the sequence in one piece', DEFAULT, [DEFAULT], ['', 'detached']],
    ['the sequence key by key', DEFAULT, [CTRL_P, CTRL_Q], ['', '', 'detached']],
    ['what comes before', DEFAULT, [`ls${CTRL_P}`, CTRL_Q], ['ls', '', 'detached']],
    ['nothing of what follows', DEFAULT, [`a${DEFAULT}rm -rf /\r`], ['a', 'detached']],
    ['a beginning, with the key that ends it', DEFAULT, [CTRL_P, 'x'], ['', `${CTRL_P}x`]],
    ['the first of two beginnings', DEFAULT, [CTRL_P, CTRL_P, CTRL_Q], ['', CTRL_P, '', 'detached']],
    ['the second key alone', DEFAULT, [CTRL_Q], [CTRL_Q]],
    ['a sequence of one key', 'a', ['bca'], ['bc', 'detached']],
    ['a sequence that repeats itself', 'aab', ['aaab'], ['a', 'detached']],
    ['a false start within the sequence', 'abac', ['aba', 'bac'], ['', 'ab', 'detached']],
    ['no keys at all', DEFAULT, [''], ['']],
  ])('passes on or holds back: %s', (_, sequence, pieces, passed) => {
    expect(passedOn(sequence, pieces)).toEqual(passed);
  });

  it('gives the same for any way to cut what is typed, and finds the sequence wherever it is', () => {
    const key = fc.constantFrom('a', 'b', 'c'); // few, so that beginnings are frequent
    const sequences = fc.string({ unit: key, minLength: 1, maxLength: 5 });
    const typed = fc.array(fc.string({ unit: key, maxLength: 6 }), { maxLength: 8 });
    fc.assert(
      fc.property(sequences, typed, (sequence, pieces) => {
        const all = pieces.join('');
        const at = all.indexOf(sequence);
        const passed = passedOn(sequence, pieces);
        if (at !== -1) {
          expect(passed.at(-1)).toBe('detached');
          expect(passed.slice(0, -1).join('')).toBe(all.slice(0, at));
          return;
        }
        const held = all.slice(passed.join('').length);
        expect(passed.join('') + held).toBe(all);
        expect(sequence.startsWith(held) && held.length < sequence.length, `held back: ${held}`).toBe(true);
        // Never more than what may still become the sequence.
        const longest = Array.from(sequence)
          .map((_, length) => sequence.slice(0, length))
          .findLast((one) => all.endsWith(one));
        expect(held).toBe(longest);
      }),
    );
  });
});
