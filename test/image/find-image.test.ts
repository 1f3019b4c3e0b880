import { describe, expect, it } from 'vitest';
import { findImage, noSuchImage } from '../../src/image/find-image.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { ImageRecord } from '../../src/store/image-record.ts';

const digest = (text: string): Digest => digestOf(Buffer.from(text));

function record(name: string | undefined, image: string): ImageRecord {
  return {
    name,
    target: { mediaType: 'application/vnd.oci.image.index.v1+json', digest: digest(`${image} index`), size: 1 },
    manifest: digest(`${image} manifest`),
    imageId: digest(`${image} config`),
    platform: { os: 'linux', architecture: 'amd64' },
    created: undefined,
    sizeBytes: 1,
  };
}

const records = [
  record('docker.io/library/alpine:latest', 'alpine'),
  record('docker.io/library/alpine:3.20', 'alpine'),
  record('registry.example:5000/team/app:v1', 'app'),
  record(`docker.io/library/busybox@${digest('busybox index')}`, 'busybox'),
  record(undefined, 'dangling'),
];
const hexOf = (image: string): string => digest(`${image} config`).slice('sha256:'.length);

describe('findImage()', () => {
  it.each([
    ['a short name means the tag latest', 'alpine', 'docker.io/library/alpine:latest'],
    ['a tag', 'alpine:3.20', 'docker.io/library/alpine:3.20'],
    ['the canonical name', 'docker.io/library/alpine:3.20', 'docker.io/library/alpine:3.20'],
    ['a registry with a port', 'registry.example:5000/team/app:v1', 'registry.example:5000/team/app:v1'],
    [
      'a name pulled by digest',
      `busybox@${digest('busybox index')}`,
      `docker.io/library/busybox@${digest('busybox index')}`,
    ],
    ['a tag by the digest it was pulled at', `alpine@${digest('alpine index')}`, 'docker.io/library/alpine:latest'],
    ['a tag by the digest of its manifest', `alpine@${digest('alpine manifest')}`, 'docker.io/library/alpine:latest'],
  ])('finds by name: %s', (_, text, name) => {
    expect(findImage(records, text)?.named?.name).toBe(name);
  });

  it.each([
    ['the config digest', digest('app config')],
    ['64 characters', hexOf('app')],
    ['12 characters', hexOf('app').slice(0, 12)],
    ['a short digest', `sha256:${hexOf('app').slice(0, 7)}`],
    ['the manifest digest', digest('app manifest')],
    ['the index digest', digest('app index')],
  ])('finds by ID: %s', (_, text) => {
    const found = findImage(records, text);
    expect(found).toMatchObject({ imageId: digest('app config'), named: undefined });
  });

  it('gives every entry of the image that it found', () => {
    expect(findImage(records, 'alpine')?.records.map(({ name }) => name)).toEqual([
      'docker.io/library/alpine:latest',
      'docker.io/library/alpine:3.20',
    ]);
  });

  it('finds an image without a name by its ID', () => {
    expect(findImage(records, hexOf('dangling').slice(0, 12))?.records).toHaveLength(1);
  });

  it('prefers a name to an ID that reads the same', () => {
    const name = hexOf('app').slice(0, 6);
    const both = [...records, record(`docker.io/library/${name}:latest`, 'named like an ID')];
    expect(findImage(both, name)?.imageId).toBe(digest('named like an ID config'));
  });

  it.each(['alpine:nope', 'nope', 'Alpine', '', `alpine@${digest('other')}`, 'sha256:', 'zz'])(
    'finds nothing for "%s"',
    (text) => {
      expect(findImage(records, text)).toBeUndefined();
    },
  );

  it('refuses a short ID that fits several images', () => {
    const many = Array.from({ length: 40 }, (_, index) => record(undefined, `image ${index}`));
    const crowded = '0123456789abcdef'
      .split('')
      .find((first) => many.filter(({ imageId }) => imageId.startsWith(`sha256:${first}`)).length > 1);
    expect(() => findImage(many, crowded ?? '')).toThrow(/it fits \d+ images/);
  });
});

describe('noSuchImage()', () => {
  it.each([
    ['nope', 'No such image: nope:latest'],
    ['nope:v1', 'No such image: nope:v1'],
    ['\u001b[31mred', String.raw`No such image: \x1b[31mred`],
  ])('names "%s" as docker does', (text, message) => {
    expect(noSuchImage(text).message).toBe(message);
  });
});
