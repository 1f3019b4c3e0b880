import { builtins } from './builtin-functions.ts';
import { printJson, printValue } from './print-value.ts';
import { TemplateError } from './template-error.ts';
import { isList, isMap, typeName } from './value.ts';
import type { TemplateFunction, Value } from './value.ts';

export type Functions = ReadonlyMap<string, TemplateFunction>;

/**
 * The functions of docker's `--format`: Go's built-in ones, and json, join, split, lower, upper, title, pad and truncate.
 * Source: https://github.com/docker/cli/blob/v29.0.0/templates/templates.go.
 */
export function dockerFunctions(): Functions {
  return new Map<string, TemplateFunction>([
    ...builtins(),
    ['json', { takes: [1, 1], call: (value = null) => printJson(value, false) }],
    ['join', { takes: [2, 2], call: (list = null, separator = null) => join(list, separator) }],
    ['split', { takes: [2, 2], call: (value = null, separator = null) => split(value, separator) }],
    ['lower', { takes: [1, 1], call: (value = null) => text(value).toLowerCase() }],
    ['upper', { takes: [1, 1], call: (value = null) => text(value).toUpperCase() }],
    ['title', { takes: [1, 1], call: (value = null) => title(text(value)) }],
    ['pad', { takes: [3, 3], call: (value = null, before = null, after = null) => pad(value, before, after) }],
    ['truncate', { takes: [2, 2], call: (value = null, length = null) => truncate(value, length) }],
  ]);
}

/** The same for the header of a table: what would change a value leaves a column's title alone; `pad` keeps it aligned. */
export function headerFunctions(): Functions {
  const functions = new Map(dockerFunctions());
  for (const name of ['json', 'split', 'join', 'title', 'lower', 'upper', 'truncate']) {
    functions.set(name, { takes: [1, 2], call: (value = null) => value });
  }
  return functions;
}

function join(list: Value, separator: Value): string {
  if (list === null) return '';
  if (isList(list)) return list.map(printValue).join(text(separator));
  if (isMap(list)) return Object.values(list).map(printValue).sort().join(text(separator));
  throw new TemplateError(`expected slice, got ${typeName(list)}`);
}

function split(value: Value, separator: Value): string[] {
  return separator === '' ? Array.from(text(value)) : text(value).split(text(separator));
}

/** The first letter of each word in upper case; a word starts after what is no letter, digit or underscore. */
function title(value: string): string {
  return value.replace(/(?<![\p{L}\p{Nd}_])\p{L}/gu, (letter) => letter.toUpperCase());
}

function pad(value: Value, before: Value, after: Value): string {
  const padded = text(value);
  return padded === '' ? '' : ' '.repeat(count(before)) + padded + ' '.repeat(count(after));
}

/** At most `length` bytes; a character that would be cut in half is left out. */
function truncate(value: Value, length: Value): string {
  const bytes = Buffer.from(text(value)).subarray(0, count(length));
  return bytes.toString().replace(/\ufffd+$/, '');
}

function text(value: Value): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`wrong type for value; expected string; got ${typeName(value)}`);
}

const MAX_COUNT = 10_000; // bytes or spaces; nobody pads further, and a typing mistake must not take all memory

function count(value: Value): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return Math.min(value, MAX_COUNT);
  throw new TemplateError(`wrong type for value; expected int of 0 or more; got ${typeName(value)}`);
}
