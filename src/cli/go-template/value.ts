/** What a template computes with. `null` is Go's nil; a plain object is a map with string keys. */
export type Value = null | boolean | number | string | readonly Value[] | MapValue | StructValue;

export interface MapValue {
  readonly [key: string]: Value;
}

/** A value with named fields; a field that takes arguments is a method. Fields are computed when a template asks for them. */
export interface StructValue {
  readonly [STRUCT]: string;
  readonly fields: Readonly<Record<string, Field>>;
}

export type Field = (...args: Value[]) => Value;

/** What a template can call. */
export interface TemplateFunction {
  /** How many arguments: at least, at most. */
  takes: readonly [number, number];
  /** @throws {TemplateError} for values of the wrong type */
  call: (...values: Value[]) => Value;
}

const STRUCT: unique symbol = Symbol('struct');

/** `type` is the name that errors call it by. Fields that take an argument are not part of its JSON. */
export function makeStruct(type: string, fields: Record<string, Field>): StructValue {
  return { [STRUCT]: type, fields };
}

export function isStruct(value: Value): value is StructValue {
  return typeof value === 'object' && value !== null && STRUCT in value;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is MapValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(STRUCT in value);
}

/** The value under `key`, which may be any text, `__proto__` too; `undefined` where the map has none. */
export function mapEntry(map: MapValue, key: string): Value | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** A type as Go's messages name it. */
export function typeName(value: Value): string {
  if (value === null) return 'nil';
  if (isStruct(value)) return value[STRUCT];
  if (isList(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}

/** Go templates' idea of truth: false, 0, nil and whatever is empty are not. */
export function isTrue(value: Value): boolean {
  if (value === null) return false;
  if (isStruct(value)) return true;
  if (isList(value)) return value.length > 0;
  return typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value);
}
