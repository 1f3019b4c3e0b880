import { describe, expect, test } from 'vitest';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import type { ManifestDocument } from '../../src/oci/manifest.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { descriptorJson, digestOfText, encode, indexJson, manifestJson, OCI_LAYER } from './support/documents.ts';
import { expectToolError } from './support/expect-tool-error.ts';

const parse = (document: unknown, contentType?: string): ManifestDocument =>
  parseManifest(encode(document), contentType);

/** The document without these keys. */
function without(document: Record<string, unknown>, ...keys: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
}

const dockerManifest = manifestJson({
  mediaType: MEDIA_TYPES.dockerManifest,
  config: descriptorJson(MEDIA_TYPES.dockerConfig),
  layers: [descriptorJson('application/vnd.docker.image.rootfs.diff.tar.gzip')],
});

describe('parseManifest()', () => {
  test('reads an OCI manifest', () => {
    const config = descriptorJson(MEDIA_TYPES.ociConfig);
    const layers = [descriptorJson(OCI_LAYER), descriptorJson('application/vnd.oci.image.layer.v1.tar+zstd')];
    expect(parse(manifestJson({ config, layers, annotations: { a: 'b' } }), MEDIA_TYPES.ociManifest)).toEqual({
      kind: 'manifest',
      manifest: { mediaType: MEDIA_TYPES.ociManifest, config, layers, annotations: { a: 'b' } },
    });
  });

  test('reads a Docker manifest, an OCI index and a Docker manifest list', () => {
    expect(parse(dockerManifest)).toMatchObject({
      kind: 'manifest',
      manifest: { mediaType: MEDIA_TYPES.dockerManifest },
    });
    expect(parse(indexJson())).toMatchObject({
      kind: 'index',
      index: { manifests: [{ platform: { os: 'linux', architecture: 'amd64' } }] },
    });
    const list = indexJson({ mediaType: MEDIA_TYPES.dockerIndex });
    expect(parse(list, MEDIA_TYPES.dockerIndex)).toMatchObject({
      kind: 'index',
      index: { mediaType: MEDIA_TYPES.dockerIndex },
    });
  });

  test('reads an image without layers, and an index without manifests', () => {
    expect(parse(manifestJson({ layers: [] }))).toMatchObject({ manifest: { layers: [] } });
    expect(parse(indexJson({ manifests: [] }))).toMatchObject({ index: { manifests: [] } });
  });
});

describe('parseManifest() on the media type', () => {
  test.each([
    [undefined],
    [''],
    ['text/plain'],
    ['application/json'],
    ['application/octet-stream'],
    [`${MEDIA_TYPES.ociManifest}; charset=utf-8`],
    [` ${MEDIA_TYPES.ociManifest.toUpperCase()} ;charset=utf-8`],
  ])('R19 takes the Content-Type %j beside the mediaType of the document', (contentType) => {
    expect(parse(manifestJson(), contentType)).toMatchObject({ manifest: { mediaType: MEDIA_TYPES.ociManifest } });
  });

  test('R19 takes the Content-Type, else the fields, where the document names no type', () => {
    const manifest = without(dockerManifest, 'mediaType');
    expect(parse(manifest, MEDIA_TYPES.dockerManifest)).toMatchObject({
      manifest: { mediaType: MEDIA_TYPES.dockerManifest },
    });
    expect(parse(manifest, 'text/plain')).toMatchObject({ manifest: { mediaType: MEDIA_TYPES.ociManifest } });
    expect(parse(indexJson({ mediaType: '' }))).toMatchObject({ index: { mediaType: MEDIA_TYPES.ociIndex } });
  });

  test.each([
    ['another announced type', manifestJson(), MEDIA_TYPES.ociIndex, 'but the registry announced'],
    ['another family announced', manifestJson(), MEDIA_TYPES.dockerManifest, 'but the registry announced'],
    [
      'another type announced in capitals',
      manifestJson(),
      `${MEDIA_TYPES.ociIndex.toUpperCase()} ; q=1`,
      'but the registry',
    ],
    ['manifests beside layers', { ...indexJson(), layers: [] }, undefined, 'holds both'],
    ['manifests beside config', { ...indexJson(), config: {} }, undefined, 'holds both'],
    ['Manifests beside layers', manifestJson({ Manifests: [] }), undefined, 'holds both'],
    ['manife\u017fts beside layers', manifestJson({ manifeſts: [] }), undefined, 'holds both'],
    [
      'an index called a manifest',
      indexJson({ mediaType: MEDIA_TYPES.ociManifest }),
      undefined,
      'its fields are those of an image index',
    ],
    [
      'a manifest called an index',
      manifestJson({ mediaType: MEDIA_TYPES.ociIndex }),
      undefined,
      'its fields are those of an image manifest',
    ],
    [
      'an announced index that is none',
      without(manifestJson(), 'mediaType'),
      MEDIA_TYPES.ociIndex,
      'its fields are those of an image manifest',
    ],
    [
      'an announced manifest that is none',
      without(indexJson(), 'mediaType'),
      MEDIA_TYPES.dockerManifest,
      'its fields are those of an image index',
    ],
    ['fsLayers in schema 2', manifestJson({ fsLayers: [] }), undefined, 'it holds "fsLayers"'],
    ['a mediaType that is no string', manifestJson({ mediaType: 5 }), undefined, 'mediaType is a number'],
  ])('R20 refuses %s', (_title, document, contentType, reason) => {
    expectToolError(() => parse(document, contentType), 'ERR_MANIFEST', reason);
  });

  test('R20 takes a null for an absent field', () => {
    expect(parse(manifestJson({ manifests: null }))).toMatchObject({ kind: 'manifest' });
    expect(parse(indexJson({ layers: null, config: null }))).toMatchObject({ kind: 'index' });
  });

  test.each([
    ['unsigned', { schemaVersion: 1, name: 'a', tag: 'b', fsLayers: [], history: [] }, undefined],
    [
      'signed',
      { schemaVersion: 1, fsLayers: [], signatures: [] },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    ],
    ['announced as text', { schemaVersion: 1, fsLayers: [] }, 'text/plain'],
    ['by its type alone', { fsLayers: [] }, 'application/vnd.docker.distribution.manifest.v1+json'],
  ])('R21 refuses schema 1, %s', (_title, document, contentType) => {
    expectToolError(() => parse(document, contentType), 'ERR_UNSUPPORTED', 'schema 1 is not supported');
  });

  test.each([
    [3, '3'],
    ['2', '"2"'],
    [undefined, 'missing'],
    [null, 'missing'],
  ])('R21 refuses the schemaVersion %j', (schemaVersion, shown) => {
    expectToolError(
      () => parse(manifestJson({ schemaVersion })),
      'ERR_MANIFEST',
      `schemaVersion is ${shown}, 2 was wanted`,
    );
  });

  test('R21 refuses the schemaVersion 2.0, which Go does not read', () => {
    const text = JSON.stringify(manifestJson()).replace('"schemaVersion":2', '"schemaVersion":2.0');
    expectToolError(() => parse(text), 'ERR_MANIFEST', '"schemaversion" is 2.0');
  });
});

describe('parseManifest() on malformed documents', () => {
  test('R17 names the type of what is no manifest', () => {
    const page = encode('<!DOCTYPE html><title>Sign in</title>');
    expectToolError(
      () => parseManifest(page, 'text/html; charset=utf-8'),
      'ERR_MANIFEST',
      'Cannot parse "manifest (text/html)": it is not valid JSON',
    );
    expectToolError(() => parse({ errors: [] }, 'application/json'), 'ERR_MANIFEST', 'schemaVersion is missing');
  });

  test.each([
    ['[]', 'it is an array, an object was wanted'],
    ['null', 'it is null, an object was wanted'],
    ['"text"', 'it is a string'],
    [manifestJson({ config: undefined }), 'Cannot parse "manifest config": it is missing'],
    [manifestJson({ config: [] }), 'Cannot parse "manifest config": it is an array'],
    [manifestJson({ layers: undefined }), 'layers is missing'],
    [manifestJson({ layers: null }), 'layers is missing'],
    [manifestJson({ layers: {} }), 'layers is an object, an array was wanted'],
    [manifestJson({ layers: [null] }), 'Cannot parse "manifest layers[0]": it is null'],
    [manifestJson({ annotations: { a: {} } }), 'annotations["a"] is an object'],
    [indexJson({ manifests: {} }), 'manifests is an object, an array was wanted'],
    [indexJson({ manifests: undefined }), 'its fields are those of an image manifest'],
    [indexJson({ manifests: [{}] }), 'Cannot parse "index manifests[0]": mediaType is missing'],
  ])('R25 refuses %j', (document, reason) => {
    expectToolError(() => parse(document), 'ERR_MANIFEST', reason);
  });

  test('R26 refuses a second "Layers"', () => {
    const text = JSON.stringify(manifestJson()).replace('"layers":', '"Layers":[],"layers":');
    expectToolError(() => parse(text), 'ERR_MANIFEST', 'the key "layers" occurs twice');
  });

  test.each(['-1', '0', '1.5', '1e3', '"12"', '9007199254740993', 'null'])('R27 refuses a layer of size %s', (size) => {
    const text = JSON.stringify(manifestJson({ layers: [descriptorJson(OCI_LAYER, { size: 77 })] })).replace(
      '77',
      size,
    );
    expectToolError(() => parse(text), 'ERR_MANIFEST', 'size');
  });

  test.each(['sha256:', 'sha256:../../x', `md5:${'a'.repeat(32)}`, `sha256:${'A'.repeat(64)}`])(
    'R28 refuses the digest %s in every descriptor',
    (digest) => {
      const bad = (mediaType: string): Record<string, unknown> => descriptorJson(mediaType, { digest });
      expectToolError(() => parse(manifestJson({ config: bad(MEDIA_TYPES.ociConfig) })), 'ERR_MANIFEST', 'digest');
      expectToolError(() => parse(manifestJson({ layers: [bad(OCI_LAYER)] })), 'ERR_MANIFEST', 'digest');
      expectToolError(() => parse(indexJson({ manifests: [bad(MEDIA_TYPES.ociManifest)] })), 'ERR_MANIFEST', 'digest');
    },
  );

  test('R34 does not look at subject, nor at digests in annotations', () => {
    const odd = {
      subject: { digest: '../../x', size: -1 },
      annotations: { 'org.opencontainers.image.base.digest': 'sha256:x' },
    };
    expect(parse(manifestJson(odd))).toMatchObject({ kind: 'manifest' });
    expect(parse(indexJson(odd))).toMatchObject({ kind: 'index' });
    expect(parse(manifestJson({ subject: 'text' }))).not.toHaveProperty('manifest.subject');
  });
});

describe('parseManifest() on what is no container image', () => {
  test.each([
    [{ artifactType: 'application/vnd.example+json' }, 'artifact of type "application/vnd.example+json"'],
    [
      { config: descriptorJson('application/vnd.cncf.helm.config.v1+json') },
      'artifact of type "application/vnd.cncf.helm.config.v1+json"',
    ],
    [
      { config: descriptorJson('application/vnd.oci.empty.v1+json') },
      'artifact of type "application/vnd.oci.empty.v1+json"',
    ],
    [{ config: descriptorJson('application/vnd.wasm.config.v0+json') }, 'not a container image'],
    [
      { artifactType: MEDIA_TYPES.ociConfig, config: descriptorJson('application/vnd.oci.empty.v1+json') },
      'artifact of type "application/vnd.oci.empty.v1+json"',
    ],
    [{ config: descriptorJson('application/octet-stream') }, 'not a container image'],
    [
      { mediaType: 'application/vnd.oci.artifact.manifest.v1+json', schemaVersion: undefined },
      'it is of type "application/vnd.oci.artifact.manifest.v1+json"',
    ],
    [{ mediaType: '\u001b[31m' }, 'it is of type "\\u001b[31m"'],
  ])('R32 refuses %j', (more, reason) => {
    expectToolError(() => parse(manifestJson(more)), 'ERR_UNSUPPORTED', reason);
  });

  test('R32 takes an image whose artifactType says just that', () => {
    expect(parse(manifestJson({ artifactType: MEDIA_TYPES.ociConfig }))).toMatchObject({ kind: 'manifest' });
  });

  test.each([
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'foreign layer not supported'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'foreign layer not supported'],
    ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'encrypted layer not supported'],
    ['application/vnd.example.layer', 'unknown type "application/vnd.example.layer"'],
  ])('R31 refuses a layer of type %s', (mediaType, reason) => {
    const layers = [descriptorJson(OCI_LAYER), descriptorJson(mediaType, { urls: ['https://example.com/'] })];
    expectToolError(() => parse(manifestJson({ layers })), 'ERR_UNSUPPORTED', reason);
  });

  test.each([[128], [500], [5000]])('C03 refuses %i layers', (count) => {
    const layers = Array.from({ length: count }, () => descriptorJson(OCI_LAYER));
    expectToolError(() => parse(manifestJson({ layers })), 'ERR_LIMIT', `it has ${count} layers, 127 are allowed`);
    expect(parse(manifestJson({ layers: layers.slice(0, 127) }))).toMatchObject({ kind: 'manifest' });
  });

  test('R22 takes 2000 entries of an index and refuses more', () => {
    const manifests = Array.from({ length: 2001 }, (_, index) =>
      descriptorJson(MEDIA_TYPES.ociManifest, { digest: digestOfText(String(index)) }),
    );
    expectToolError(() => parse(indexJson({ manifests })), 'ERR_LIMIT', 'it has 2001 manifests, 2000 are allowed');
    expect(parse(indexJson({ manifests: manifests.slice(1) }))).toMatchObject({ kind: 'index' });
  });
});
