import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  digestAlgorithm,
  digestFromHex,
  digestHex,
  digestOf,
  isDigest,
  parseDigest,
  shortDigest,
} from '../../src/oci/digest.ts';
import { encode } from './support/documents.ts';
import { expectToolError } from './support/expect-tool-error.ts';

const HEX_64 = '0123456789abcdef'.repeat(4);
const HEX_128 = HEX_64.repeat(2);
const EMPTY_SHA256 = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('parseDigest()', () => {
  test.each([`sha256:${HEX_64}`, `sha512:${HEX_128}`])('R28 takes %s', (text) => {
    expect(parseDigest(text)).toBe(text);
    expect(isDigest(text)).toBe(true);
  });

  test.each([
    ['', 'has no ":"'],
    ['sha256', 'has no ":"'],
    [HEX_64, 'has no ":"'],
    [`:${HEX_64}`, 'unsupported digest algorithm ""'],
    [`sha384:${'a'.repeat(96)}`, 'unsupported digest algorithm "sha384"'],
    [`blake3:${HEX_64}`, 'unsupported digest algorithm "blake3"'],
    [`md5:${'a'.repeat(32)}`, 'unsupported digest algorithm "md5"'],
    [`SHA256:${HEX_64}`, 'unsupported digest algorithm "SHA256"'],
    [`__proto__:${HEX_64}`, 'unsupported digest algorithm "__proto__"'],
    [`constructor:${HEX_64}`, 'unsupported digest algorithm "constructor"'],
    [` sha256:${HEX_64}`, 'unsupported digest algorithm " sha256"'],
    ['sha256:', 'it has 0 hexadecimal digits and sha256 has 64'],
    [`sha256:${HEX_64.slice(1)}`, 'it has 63 hexadecimal digits and sha256 has 64'],
    [`sha256:${HEX_64}0`, 'it has 65 hexadecimal digits and sha256 has 64'],
    [`sha256:${HEX_128}`, 'it has 128 hexadecimal digits and sha256 has 64'],
    [`sha512:${HEX_64}`, 'it has 64 hexadecimal digits and sha512 has 128'],
    [`sha256:${HEX_64.toUpperCase()}`, 'only lower-case hexadecimal digits'],
    [`sha256:${HEX_64}\n`, 'only lower-case hexadecimal digits'],
    [`sha256:${HEX_64.slice(1)}g`, 'only lower-case hexadecimal digits'],
    [`sha256:${'../'.repeat(21)}x`, 'only lower-case hexadecimal digits'],
    [`sha256:${'\u0661'.repeat(64)}`, 'only lower-case hexadecimal digits'],
    [`sha256:${HEX_64.slice(1)}\0`, 'only lower-case hexadecimal digits'],
    [`sha256::${HEX_64.slice(1)}`, 'only lower-case hexadecimal digits'],
    [`sha256+b64:${HEX_64}`, 'unsupported digest algorithm "sha256+b64"'],
  ])('R28 refuses %j', (text, reason) => {
    expect(isDigest(text)).toBe(false);
    expectToolError(() => parseDigest(text), 'ERR_DIGEST', reason);
  });

  test('A7 takes nothing that is more than one plain path component', () => {
    const digest = fc.constantFrom(`sha256:${HEX_64}`, `sha512:${HEX_128}`);
    const edit = fc.constantFrom('', '/', '.', '..', '\\', '\0', ':', 'g', 'A', '0', '\n', '\u0661', '%2f');
    fc.assert(
      fc.property(digest, fc.nat({ max: 135 }), edit, fc.nat({ max: 2 }), (valid, at, inserted, removed) => {
        const edited = valid.slice(0, at) + inserted + valid.slice(at + removed);
        expect(isDigest(edited)).toBe(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(edited));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('digestOf()', () => {
  test('hashes bytes', () => {
    expect(digestOf(new Uint8Array())).toBe(EMPTY_SHA256);
    expect(digestOf(encode('abc'), 'sha512')).toMatch(/^sha512:ddaf35a193617aba/);
  });

  test('gives what parseDigest() takes apart', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom('sha256', 'sha512'), (bytes, algorithm) => {
        const digest = digestOf(bytes, algorithm);
        expect(parseDigest(digest)).toBe(digest);
        expect(`${digestAlgorithm(digest)}:${digestHex(digest)}`).toBe(digest);
        expect(digestAlgorithm(digest)).toBe(algorithm);
      }),
    );
  });
});

describe('digestFromHex()', () => {
  test('tells the algorithm by the number of digits', () => {
    expect(digestFromHex(HEX_64)).toBe(`sha256:${HEX_64}`);
    expect(digestFromHex(HEX_128)).toBe(`sha512:${HEX_128}`);
  });

  test.each(['', 'abc', HEX_64.toUpperCase(), `${HEX_64}.lock`, `../${HEX_64.slice(3)}`])(
    'gives nothing for %j',
    (text) => {
      expect(digestFromHex(text)).toBeUndefined();
    },
  );
});

test('shortDigest() gives the first 12 digits', () => {
  expect(shortDigest(parseDigest(EMPTY_SHA256))).toBe('e3b0c44298fc');
});
