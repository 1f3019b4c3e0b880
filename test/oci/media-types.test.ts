import { describe, expect, test } from 'vitest';
import {
  ACCEPT_MANIFESTS,
  isImageConfigMediaType,
  isIndexMediaType,
  isManifestMediaType,
  layerKind,
  MEDIA_TYPES,
} from '../../src/oci/media-types.ts';

describe('layerKind()', () => {
  test.each([
    ['application/vnd.oci.image.layer.v1.tar', 'layer'],
    ['application/vnd.oci.image.layer.v1.tar+gzip', 'layer'],
    ['application/vnd.oci.image.layer.v1.tar+zstd', 'layer'],
    ['application/vnd.docker.image.rootfs.diff.tar', 'layer'],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'layer'],
    ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'layer'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar', 'foreign'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'foreign'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'foreign'],
    ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'encrypted'],
    ['application/vnd.oci.image.layer.v1.tar+encrypted', 'encrypted'],
    ['application/vnd.oci.image.layer.v1.tar+xz', undefined],
    ['application/vnd.cncf.helm.chart.content.v1.tar+gzip', undefined],
    ['application/vnd.oci.image.layer.v1.tar+gzip\n', undefined],
    ['application/octet-stream', undefined],
    ['', undefined],
  ])('R31 takes %j for %s', (mediaType, kind) => {
    expect(layerKind(mediaType)).toBe(kind);
  });
});

describe('isImageConfigMediaType()', () => {
  test('R32 takes the misnomers of old registries in Docker manifests only', () => {
    expect(isImageConfigMediaType('application/octet-stream', MEDIA_TYPES.dockerManifest)).toBe(true);
    expect(isImageConfigMediaType('application/octet-stream', MEDIA_TYPES.ociManifest)).toBe(false);
    expect(isImageConfigMediaType(MEDIA_TYPES.dockerConfig, MEDIA_TYPES.ociManifest)).toBe(true);
    expect(isImageConfigMediaType('application/vnd.oci.empty.v1+json', MEDIA_TYPES.ociManifest)).toBe(false);
  });
});

test('ACCEPT_MANIFESTS names what can be read, and not schema 1', () => {
  for (const mediaType of ACCEPT_MANIFESTS) {
    expect(isIndexMediaType(mediaType)).not.toBe(isManifestMediaType(mediaType));
  }
  expect(ACCEPT_MANIFESTS).toHaveLength(4);
});
