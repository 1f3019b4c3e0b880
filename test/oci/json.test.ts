import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_DOCUMENT_BYTES, parseJson } from '../../src/oci/json.ts';
import { encode } from './support/documents.ts';
import { expectToolError } from './support/expect-tool-error.ts';

const parse = (text: string): unknown => parseJson(encode(text), 'document');
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

// Keys of which no two are equal when letter case is ignored, and not the names of integer fields.
const distinctKey = fc.stringMatching(/^[a-z]{1,3}$/).map((key) => `x${key}`);
const documents = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(distinctKey, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
  leaf: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  ),
})).tree;

describe('parseJson()', () => {
  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(documents, fc.constantFrom(undefined, 2), (document, indent) => {
        const text = JSON.stringify(document, null, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each([
    ['', 'not valid JSON'],
    ['<html><body>\u001b[31mno</body>', 'not valid JSON'],
    ['{"a":1', 'not valid JSON'],
    ['{"a":"', 'not valid JSON'],
    ['{"a":1}}', 'not valid JSON'],
    ['{"a":1}{}', 'not valid JSON'],
    ['{"a":1}\0', 'not valid JSON'],
    ['{"a":1} trailing', 'not valid JSON'],
    ['{"a":NaN}', 'not valid JSON'],
    ['{"a":Infinity}', 'not valid JSON'],
    ["{'a':1}", 'not valid JSON'],
    ['{"a":1,}', 'not valid JSON'],
    ['{"a\\x":1}', 'not valid JSON'],
    ['// comment\n{}', 'not valid JSON'],
    ['\ufeff{}', 'byte order mark'],
    ['}{', 'not valid JSON'],
  ])('R25 refuses %j', (text, reason) => {
    expectToolError(() => parse(text), 'ERR_MANIFEST', reason);
  });

  test.each([
    ['UTF-16 with a mark', Buffer.from('\ufeff{"a":1}', 'utf16le'), 'not UTF-8'],
    ['UTF-16 without one', Buffer.from('{"a":1}', 'utf16le'), 'not valid JSON'],
    ['a lone byte', Uint8Array.of(0x22, 0xff, 0x22), 'not UTF-8'],
    ['an overlong encoding', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), 'not UTF-8'],
    ['a surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'not UTF-8'],
  ])('R25 refuses %s', (_title, bytes, reason) => {
    expectToolError(() => parseJson(bytes, 'document'), 'ERR_MANIFEST', reason);
  });

  test('C12 takes 64 levels and refuses more before JSON.parse sees them', () => {
    expect(parse(nested(64))).toBeInstanceOf(Array);
    expectToolError(() => parse(nested(65)), 'ERR_MANIFEST', 'more than 64 levels');
    expectToolError(() => parse('['.repeat(2_000_000)), 'ERR_MANIFEST', 'more than 64 levels');
    expectToolError(() => parse('{"a":'.repeat(500_000)), 'ERR_MANIFEST', 'more than 64 levels');
  });

  test('C12 does not count brackets in strings', () => {
    expect(parse(JSON.stringify({ a: `${'['.repeat(100)}\\"${'{'.repeat(100)}` }))).toHaveProperty('a');
  });

  test('C12 refuses a document above 4 MiB, and reads one of 4 MiB', () => {
    const text = (length: number): string => `"${'a'.repeat(length - 2)}"`;
    expect(parse(text(MAX_DOCUMENT_BYTES))).toHaveLength(MAX_DOCUMENT_BYTES - 2);
    expectToolError(() => parse(text(MAX_DOCUMENT_BYTES + 1)), 'ERR_LIMIT', '4194305 bytes, 4194304 are allowed');
  });

  test.each([
    ['{"a":1,"a":1}', 'a'],
    ['{"layers":[],"Layers":[]}', 'Layers'],
    ['{"layers":[],"layer\u017f":[]}', 'layer\u017f'],
    ['{"k":1,"\u212a":2}', '\u212a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"a":1,"\\u0041":2}', 'A'],
    ['[{"b":{"a":1,"c":[1,{}],"a":2}}]', 'a'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"annotations":{"a":"1","a":"2"}}', 'a'],
    ['{"annotations":[{"a":"1","A":"2"}]}', 'A'],
    ['{"Annotations":{},"x":{"a":1,"A":2}}', 'A'],
    ['{"":1,"":2}', ''],
  ])('R26 refuses %j', (text, key) => {
    expectToolError(() => parse(text), 'ERR_MANIFEST', `the key "${key}" occurs twice in one object`);
  });

  test.each([
    '{"a":{"b":1},"c":{"b":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":["b","b"]}',
    '{"annotations":{"Key":"1","key":"2"}}',
    '{"config":{"Labels":{"Key":"1","key":"2"},"Volumes":{"/A":{},"/a":{}}}}',
  ])('R26 takes %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  test('R26 finds a second spelling of a key wherever it stands', () => {
    const keys = fc.uniqueArray(distinctKey, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(keys, fc.nat(), fc.nat(), documents, (names, pick, place, value) => {
        const members = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
        const again = names[pick % names.length]!.toUpperCase();
        members.splice(place % (members.length + 1), 0, `"${again}" :0`);
        expectToolError(() => parse(`[{"x":{${members.join(' , ')}}}]`), 'ERR_MANIFEST', 'occurs twice');
      }),
    );
  });

  test.each(['1e3', '1.5', '1.0', '9007199254740993', '-9007199254740993', '10e-1', '1E400'])(
    'R27 refuses the size %s, which JSON.parse would round or rewrite',
    (literal) => {
      expectToolError(() => parse(`{"size": ${literal} }`), 'ERR_MANIFEST', `"size" is ${literal}`);
      expect(parse(`{"other":[${literal}]}`)).toEqual({ other: [Number(literal)] });
    },
  );

  test('C12 keeps __proto__ and constructor as data', () => {
    const value = parse('{"__proto__":{"polluted":true},"constructor":1}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect('polluted' in {}).toBe(false);
  });

  test('names the document and prints no control characters of it', () => {
    expectToolError(() => parseJson(encode('\u001b[2J'), 'reply\u0007'), 'ERR_MANIFEST', 'Cannot parse "reply\\x07"');
  });
});
