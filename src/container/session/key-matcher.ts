/** What of the typed keys may be passed on. */
export interface MatchedKeys {
  /** In their order, with what was held back before. */
  keys: Uint8Array;
  /** The sequence has been typed; it is not among the keys, nor is what followed it. */
  isComplete: boolean;
}

/**
 * Looks for a sequence of keys, wherever it is cut into pieces. What may be its beginning is held back until the next key tells.
 * Unlike docker's, it finds the sequence also after a false start: after `ctrl-p ctrl-p ctrl-q` as after `ctrl-p ctrl-q`.
 */
export function createKeyMatcher(sequence: Uint8Array): (piece: Uint8Array) => MatchedKeys {
  const fallBacks = fallBacksOf(sequence);
  let matched = 0; // keys at the end of what was typed that are a beginning of the sequence: held back
  return (piece) => {
    const held = sequence.subarray(0, matched);
    for (const [index, key] of piece.entries()) {
      while (matched > 0 && sequence[matched] !== key) matched = fallBacks[matched - 1] ?? 0;
      if (sequence[matched] === key) matched += 1;
      if (matched === sequence.length) {
        const typed = Buffer.concat([held, piece.subarray(0, index + 1)]);
        return { keys: typed.subarray(0, typed.length - matched), isComplete: true };
      }
    }
    const typed = Buffer.concat([held, piece]);
    return { keys: typed.subarray(0, typed.length - matched), isComplete: false };
  };
}

/**
 * For each beginning of the sequence: the length of the longest shorter beginning that it ends with, from which the search goes on
 * (Knuth, Morris and Pratt).
 */
function fallBacksOf(sequence: Uint8Array): number[] {
  const fallBacks = [0];
  let length = 0;
  for (const key of sequence.subarray(1)) {
    while (length > 0 && sequence[length] !== key) length = fallBacks[length - 1] ?? 0;
    if (sequence[length] === key) length += 1;
    fallBacks.push(length);
  }
  return fallBacks;
}
