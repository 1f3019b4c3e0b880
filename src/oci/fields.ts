import { printable } from '../printable.ts';
import { malformed } from './json.ts';

const MAX_SHOWN = 80; // characters

/** A parsed JSON object. Read it with `field`, so that `constructor` or `__proto__` in a document stays data. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An own property; JSON's null counts as absent, because Go writes it for an empty list or map. */
export function field(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined;
}

/** Throws ERR_MANIFEST, like all below, for a value of another type. `where` names the object in errors. */
export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw malformed(where, `it is ${typeName(value)}, an object was wanted`);
}

export function objectField(object: JsonObject, key: string, where: string): JsonObject | undefined {
  const value = field(object, key);
  return value === undefined ? undefined : asObject(value, `${where} ${key}`);
}

export function stringField(object: JsonObject, key: string, where: string): string | undefined {
  const value = field(object, key);
  if (value === undefined || typeof value === 'string') return value;
  throw malformed(where, `${key} is ${typeName(value)}, a string was wanted`);
}

/** A string that says something: Go writes an empty one for what it does not have. */
export function textField(object: JsonObject, key: string, where: string): string | undefined {
  const value = stringField(object, key, where);
  return value === '' ? undefined : value;
}

export function arrayField(object: JsonObject, key: string, where: string): readonly unknown[] | undefined {
  const value = field(object, key);
  if (value === undefined || Array.isArray(value)) return value;
  throw malformed(where, `${key} is ${typeName(value)}, an array was wanted`);
}

export function stringsField(object: JsonObject, key: string, where: string): string[] | undefined {
  return arrayField(object, key, where)?.map((value, index) => {
    if (typeof value === 'string') return value;
    throw malformed(where, `${key}[${index}] is ${typeName(value)}, a string was wanted`);
  });
}

/** A map with free keys, empty where absent. It has no prototype: looking up any key gives what the document says, or undefined. */
export function stringMapField(object: JsonObject, key: string, where: string): Record<string, string> {
  const result = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(objectField(object, key, where) ?? {})) {
    if (typeof value !== 'string')
      throw malformed(where, `${key}[${showValue(name)}] is ${typeName(value)}, a string was wanted`);
    result[name] = value;
  }
  return result;
}

/** A value in an error message, cut to leave room for the reason. */
export function showValue(value: unknown): string {
  return value === undefined ? 'missing' : printable(JSON.stringify(value), MAX_SHOWN);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value === undefined) return 'missing';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
