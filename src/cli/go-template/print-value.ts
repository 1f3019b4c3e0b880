import { isList, isMap, isStruct } from './value.ts';
import type { MapValue, StructValue, Value } from './value.ts';

/** A value as Go's `%v` prints it: `[a b]`, `map[k:v]`, `<nil>`. */
export function printValue(value: Value): string {
  if (value === null) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return printNumber(value);
  if (typeof value === 'boolean') return String(value);
  if (isList(value)) return `[${value.map(printValue).join(' ')}]`;
  const map = isMap(value) ? value : structToMap(value);
  return `map[${sortedKeys(map)
    .map((key) => `${key}:${printValue(map[key] ?? null)}`)
    .join(' ')}]`;
}

/** JSON as Go writes it, keys sorted. `escapeHtml` is what `json.Marshal` does, and what it always does inside a struct. */
export function printJson(value: Value, escapeHtml: boolean): string {
  const text = jsonText(value, escapeHtml);
  return text.replace(/[\u2028\u2029]/g, (character) => (character === '\u2028' ? '\\u2028' : '\\u2029'));
}

export function sortedKeys(map: MapValue): string[] {
  return Object.keys(map).sort(compareBytes);
}

function jsonText(value: Value, escapeHtml: boolean): string {
  if (typeof value === 'string') return escapeHtml ? htmlEscaped(JSON.stringify(value)) : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map((item) => jsonText(item, escapeHtml)).join(',')}]`;
  if (isStruct(value)) return jsonText(structToMap(value), true);
  const members = sortedKeys(value).map(
    (key) => `${jsonText(key, escapeHtml)}:${jsonText(value[key] ?? null, escapeHtml)}`,
  );
  return `{${members.join(',')}}`;
}

function structToMap(struct: StructValue): MapValue {
  const fields = Object.entries(struct.fields).filter(([, field]) => field.length === 0);
  return Object.fromEntries(fields.map(([name, field]) => [name, field()]));
}

function htmlEscaped(json: string): string {
  return json.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/** Go's shortest form: an exponent below 1e-4 and from 1e21 on. */
function printNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  const text = value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
