import { describe, expect, test } from 'vitest';
import { parseDescriptor } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { descriptorJson } from './support/documents.ts';
import { expectToolError } from './support/expect-tool-error.ts';

const parse = (more: Record<string, unknown>): unknown =>
  parseDescriptor(descriptorJson(MEDIA_TYPES.ociManifest, more), 'index manifests[3]');

describe('parseDescriptor()', () => {
  test('reads the required fields alone', () => {
    const json = descriptorJson(MEDIA_TYPES.ociManifest);
    expect(parseDescriptor(json, 'x')).toStrictEqual(json);
  });

  test('reads the optional fields, and no others', () => {
    const optional = { artifactType: 'a/b', urls: ['https://example.com/x'], data: 'e30=' };
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '1', 'os.features': ['x'] };
    expect(parse({ ...optional, platform, annotations: { a: 'b' }, other: 1 })).toEqual({
      ...descriptorJson(MEDIA_TYPES.ociManifest),
      ...optional,
      platform: { os: 'linux', architecture: 'arm', variant: 'v7', osVersion: '1' },
      annotations: { a: 'b' },
    });
  });

  test('takes null and empty values for absent ones', () => {
    const empty = { urls: null, annotations: null, platform: { os: '', architecture: '' }, artifactType: '' };
    expect(parse(empty)).toStrictEqual(descriptorJson(MEDIA_TYPES.ociManifest));
  });

  test.each([
    [-1, '-1'],
    [1.5, '1.5'],
    ['12', '"12"'],
    [2 ** 53, '9007199254740992'],
    [null, 'missing'],
    [undefined, 'missing'],
    [[1], '[1]'],
    [true, 'true'],
  ])('R27 refuses the size %j', (size, shown) => {
    expectToolError(() => parse({ size }), 'ERR_MANIFEST', `Cannot parse "index manifests[3]": size is ${shown},`);
  });

  test('R27 takes the size 0 for no bytes only', () => {
    expectToolError(() => parse({ size: 0 }), 'ERR_MANIFEST', 'its digest is not that of no bytes');
    for (const algorithm of ['sha256', 'sha512'] as const) {
      expect(parse({ size: 0, digest: digestOf(new Uint8Array(), algorithm) })).toMatchObject({ size: 0 });
    }
  });

  test.each([
    ['sha256:../../x', 'invalid digest'],
    [`sha384:${'a'.repeat(96)}`, 'unsupported digest algorithm'],
    [`sha256:${'A'.repeat(64)}`, 'only lower-case'],
    [`sha256:${'a'.repeat(200)}`, '200 hexadecimal digits'],
    [undefined, 'digest is missing'],
    [5, 'digest is a number'],
  ])('R28 refuses the digest %s', (digest, reason) => {
    expectToolError(() => parse({ digest }), 'ERR_MANIFEST', reason);
  });

  test.each([
    [{ mediaType: '' }, 'mediaType is missing'],
    [{ mediaType: 1 }, 'mediaType is a number'],
    [{ urls: 'https://example.com' }, 'urls is a string, an array was wanted'],
    [{ urls: [1] }, 'urls[0] is a number'],
    [{ annotations: { a: 1 } }, 'annotations["a"] is a number'],
    [{ annotations: [] }, 'it is an array, an object was wanted'],
    [{ platform: 'linux/amd64' }, 'Cannot parse "index manifests[3] platform": it is a string'],
    [{ platform: { os: 'linux', architecture: ['amd64'] } }, 'architecture is an array'],
    [{ data: {} }, 'data is an object'],
  ])('refuses %j', (more, reason) => {
    expectToolError(() => parse(more), 'ERR_MANIFEST', reason);
  });

  test.each([null, undefined, 'text', 3, []])('refuses %j in place of a descriptor', (value) => {
    expectToolError(() => parseDescriptor(value, 'manifest config'), 'ERR_MANIFEST', 'an object was wanted');
  });

  test('C12 keeps __proto__ in annotations as data, and finds no inherited ones', () => {
    const json = JSON.stringify(descriptorJson('a/b', { annotations: { x: 'y' } })).replace('"x"', '"__proto__"');
    const { annotations } = parseDescriptor(JSON.parse(json), 'x');
    expect(Object.entries(annotations!)).toEqual([['__proto__', 'y']]);
    expect(annotations!['constructor']).toBeUndefined();
  });
});
