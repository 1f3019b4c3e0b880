import { formatPrintf } from './printf.ts';
import { printValue } from './print-value.ts';
import { TemplateError } from './template-error.ts';
import { isList, isMap, isTrue, mapEntry, typeName } from './value.ts';
import type { MapValue, TemplateFunction, Value } from './value.ts';

/**
 * Go's predefined functions but `call`, and the escapers of HTML, JavaScript and URLs. `and` and `or` are listed as known
 * names only: the evaluator does them, as they skip operands.
 * Source: https://pkg.go.dev/text/template#hdr-Functions.
 */
export function builtins(): Array<[string, TemplateFunction]> {
  return [
    ['and', { takes: [1, MANY], call: (...values) => values.at(-1) ?? null }],
    ['or', { takes: [1, MANY], call: (...values) => values.at(-1) ?? null }],
    ['not', { takes: [1, 1], call: (value = null) => !isTrue(value) }],
    ['len', { takes: [1, 1], call: (value = null) => length(value) }],
    ['index', { takes: [1, MANY], call: (value = null, ...keys) => indexAll(value, keys) }],
    ['slice', { takes: [1, 3], call: (value = null, from = 0, to = length(value)) => slice(value, from, to) }],
    ['print', { takes: [0, MANY], call: (...values) => print(values) }],
    ['println', { takes: [0, MANY], call: (...values) => `${values.map(printValue).join(' ')}\n` }],
    ['printf', { takes: [1, MANY], call: (format = null, ...values) => formatPrintf(format, values) }],
    ['eq', { takes: [2, MANY], call: (first = null, ...others) => others.some((other) => equals(first, other)) }],
    ['ne', { takes: [2, 2], call: (first = null, second = null) => !equals(first, second) }],
    ['lt', { takes: [2, 2], call: (first = null, second = null) => compare(first, second) < 0 }],
    ['le', { takes: [2, 2], call: (first = null, second = null) => compare(first, second) <= 0 }],
    ['gt', { takes: [2, 2], call: (first = null, second = null) => compare(first, second) > 0 }],
    ['ge', { takes: [2, 2], call: (first = null, second = null) => compare(first, second) >= 0 }],
  ];
}

const MANY = Number.POSITIVE_INFINITY;

function length(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (isList(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw new TemplateError(`len of type ${typeName(value)}`);
}

/** `index x 1 "a"` is x[1]["a"]. */
function indexAll(value: Value, keys: readonly Value[]): Value {
  let item = value;
  for (const key of keys) item = index(item, key);
  return item;
}

function index(value: Value, key: Value): Value {
  if (isMap(value)) {
    if (typeof key !== 'string') throw new TemplateError(`value has type ${typeName(key)}; should be string`);
    return mapEntry(value, key) ?? zeroValue(value);
  }
  if (value === null) throw new TemplateError('index of untyped nil');
  if (!isList(value) && typeof value !== 'string')
    throw new TemplateError(`can't index item of type ${typeName(value)}`);
  if (typeof key !== 'number' || !Number.isInteger(key)) {
    throw new TemplateError(`cannot index slice/array with type ${typeName(key)}`);
  }
  const item = typeof value === 'string' ? Buffer.from(value)[key] : value[key];
  if (item === undefined) throw new TemplateError(`index out of range: ${key}`);
  return item;
}

/** What a missing key has: Go's map of strings answers with an empty one. */
function zeroValue(map: MapValue): Value {
  const items = Object.values(map);
  return items.length > 0 && items.every((item) => typeof item === 'string') ? '' : null;
}

function slice(value: Value, from: Value, to: Value): Value {
  const size = length(value);
  for (const bound of [from, to]) {
    if (typeof bound !== 'number' || bound < 0 || bound > size) {
      throw new TemplateError(`index out of range: ${printValue(bound)}`);
    }
  }
  if (Number(from) > Number(to))
    throw new TemplateError(`invalid slice index: ${printValue(from)} > ${printValue(to)}`);
  if (typeof value === 'string') return Buffer.from(value).subarray(Number(from), Number(to)).toString();
  if (isList(value)) return value.slice(Number(from), Number(to));
  throw new TemplateError(`can't slice item of type ${typeName(value)}`);
}

/** A space goes between operands where neither is text. */
function print(values: Value[]): string {
  return values
    .map((value, at) => {
      const before = values[at - 1];
      const needsSpace = at > 0 && typeof value !== 'string' && typeof before !== 'string';
      return (needsSpace ? ' ' : '') + printValue(value);
    })
    .join('');
}

function equals(first: Value, second: Value): boolean {
  if (first === null || second === null) return first === second;
  if (typeof first === 'object' || typeof second === 'object') {
    throw new TemplateError('non-comparable types for comparison');
  }
  if (typeof first !== typeof second) throw new TemplateError('incompatible types for comparison');
  return first === second;
}

/** Negative, zero or positive. Text is ordered by its bytes. */
function compare(first: Value, second: Value): number {
  if (typeof first === 'number' && typeof second === 'number') return first - second;
  if (typeof first === 'string' && typeof second === 'string') {
    return Buffer.compare(Buffer.from(first), Buffer.from(second));
  }
  const isBasic = [first, second].every((value) => typeof value === 'number' || typeof value === 'string');
  throw new TemplateError(isBasic ? 'incompatible types for comparison' : 'invalid type for comparison');
}
