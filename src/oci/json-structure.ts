import { printable } from '../printable.ts';

const MAX_DEPTH = 64; // an image config needs about five

// Objects in which keys are data: here `Foo` beside `foo` is fine, because no reader takes one for the other.
const FREE_KEYS: ReadonlySet<string> = new Set(['annotations', 'labels', 'exposedports', 'volumes']);

// JSON.parse gives 1000 for `1e3` and 2^53 for `9007199254740993`; Go's reader refuses the first and keeps the second.
const INTEGER_FIELDS: ReadonlySet<string> = new Set(['size', 'schemaversion']);

const MAX_SHOWN = 80; // characters of a key or number in a message
const NUMBER_START = '-0123456789';
const NUMBER_PART = '-+.eE0123456789';

interface Level {
  keys: Set<string> | undefined; // undefined: an array
  freeKeys: boolean;
  atKey: boolean;
  lastKey: string; // folded
}

/**
 * Finds what JSON.parse lets pass and other readers do not read the same way: a key twice in one object, also in another
 * letter case (Go matches keys so, and the last one wins), depth, and sizes that are no plain integers.
 * Returns what is wrong, or undefined. Linear in time, without recursion. That the text is JSON at all is left to JSON.parse.
 */
export function checkJsonStructure(text: string): string | undefined {
  const levels: Level[] = [];
  for (let at = 0; at < text.length;) {
    const end = tokenEnd(text, at);
    const problem = visitToken(levels, text.slice(at, end));
    if (problem !== undefined) return problem;
    at = end;
  }
  return undefined;
}

function visitToken(levels: Level[], token: string): string | undefined {
  const level = levels.at(-1);
  switch (token.charAt(0)) {
    case '{':
    case '[':
      levels.push(openLevel(token, level));
      return levels.length > MAX_DEPTH ? `it is nested more than ${MAX_DEPTH} levels deep` : undefined;
    case '}':
    case ']':
      levels.pop();
      return undefined;
    case ',':
      if (level !== undefined) level.atKey = level.keys !== undefined;
      return undefined;
    case '"':
      return level?.atKey === true ? addKey(level, token) : undefined;
    default:
      return level === undefined ? undefined : checkNumber(level, token);
  }
}

/** The index after the token that starts at `start`: a string, a number, or any other single character. */
function tokenEnd(text: string, start: number): number {
  const first = text.charAt(start);
  let at = start + 1;
  if (first === '"') return stringEnd(text, at);
  if (NUMBER_START.includes(first)) while (at < text.length && NUMBER_PART.includes(text.charAt(at))) at += 1;
  return at;
}

/** The index after the next quote that no backslash escapes; after the text if there is none. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1; // no further back than the quote before
    if (backslashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

function openLevel(bracket: string, parent: Level | undefined): Level {
  const isObject = bracket === '{';
  const freeKeys = isObject && parent?.keys !== undefined && FREE_KEYS.has(parent.lastKey);
  return { keys: isObject ? new Set() : undefined, freeKeys, atKey: isObject, lastKey: '' };
}

function addKey(level: Level, quoted: string): string | undefined {
  const key = unquote(quoted);
  if (key === undefined) return undefined; // malformed: JSON.parse says so in its own words
  level.atKey = false;
  level.lastKey = foldKey(key);
  const compared = level.freeKeys ? key : level.lastKey;
  if (level.keys?.has(compared) === true) return `the key "${printable(key, MAX_SHOWN)}" occurs twice in one object`;
  level.keys?.add(compared);
  return undefined;
}

function checkNumber(level: Level, literal: string): string | undefined {
  const isNumber = NUMBER_START.includes(literal.charAt(0));
  if (!isNumber || level.keys === undefined || !INTEGER_FIELDS.has(level.lastKey)) return undefined;
  if (/^-?[0-9]+$/.test(literal) && Number.isSafeInteger(Number(literal))) return undefined;
  return `"${level.lastKey}" is ${printable(literal, MAX_SHOWN)}, a whole number up to 2^53 - 1 without fraction or exponent was wanted`;
}

/** A key as Go compares it: without letter case, and with the long s (U+017F) as an s. */
export function foldKey(key: string): string {
  return key.toLowerCase().replaceAll('\u017f', 's');
}

function unquote(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
