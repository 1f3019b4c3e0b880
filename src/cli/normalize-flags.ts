import { FlagError } from './flags.ts';
import type { Flags } from './flags.ts';

export interface NormalizedArguments {
  /** Names, without dashes, and values, in the order in which they were given. */
  flags: Array<[name: string, value: string]>;
  operands: string[];
}

/**
 * Brings docker's spellings of flags into one: `-it`, `-eA=1`, `-e=A=1`, `-e A=1`, `--env A=1`, `--rm`, `--rm=false`; `--` ends them.
 * Source: parseArgs of https://github.com/spf13/pflag/blob/v1.0.6/flag.go.
 * @throws {FlagError} for a flag that is unknown, or lacks its value
 */
export function normalizeFlags(known: Flags, argv: readonly string[], stopsAtOperand: boolean): NormalizedArguments {
  const reader: Reader = { known, rest: [...argv], flags: [] };
  const operands: string[] = [];
  for (let word = reader.rest.shift(); word !== undefined; word = reader.rest.shift()) {
    if (word === '--') break;
    if (word.startsWith('--')) readLong(reader, word);
    else if (word.startsWith('-') && word !== '-') readShorts(reader, word);
    else {
      operands.push(word);
      if (stopsAtOperand) break;
    }
  }
  return { flags: reader.flags, operands: [...operands, ...reader.rest] };
}

interface Reader {
  known: Flags;
  /** What was not read yet. */
  rest: string[];
  flags: Array<[string, string]>;
}

function readLong(reader: Reader, word: string): void {
  const [, given = '', value] = /^--([^=]*)(?:=([^]*))?$/.exec(word) ?? [];
  if (given === '' || given.startsWith('-')) throw new FlagError(`bad flag syntax: ${word}`);
  const name = Object.keys(reader.known).find((key) => key === given || reader.known[key]?.alias === given);
  const flag = name === undefined ? undefined : reader.known[name];
  if (name === undefined || flag === undefined) throw new FlagError(`unknown flag: --${given}`);
  const read = value ?? (flag.placeholder === '' ? 'true' : reader.rest.shift());
  if (read === undefined) throw new FlagError(`flag needs an argument: --${given}`);
  reader.flags.push([name, read]);
}

/** `-it`, `-n5`, `-n=5`, `-n 5`: the first letter that takes a value takes all that follows. */
function readShorts(reader: Reader, word: string): void {
  for (let letters = word.slice(1); letters !== '';) {
    const letter = letters.slice(0, 1);
    const after = letters.slice(1);
    const found = Object.entries(reader.known).find(([, { short }]) => short === letter);
    if (found === undefined) throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`);
    const [name, flag] = found;
    const takesValue = flag.placeholder !== '';
    const hasValue = after.length > 1 && after.startsWith('=');
    const value = hasValue ? after.slice(1) : takesValue ? after || reader.rest.shift() : 'true';
    if (value === undefined) throw new FlagError(`flag needs an argument: '${letter}' in -${letters}`);
    reader.flags.push([name, value]);
    letters = hasValue || takesValue ? '' : after;
  }
}
