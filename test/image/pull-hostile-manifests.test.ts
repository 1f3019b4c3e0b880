import { describe, expect, it } from 'vitest';
import { pullImage } from '../../src/image/pull-image.ts';
import type { Fault } from '../support/registry/index.ts';
import { putImage, putIndex, sha256 } from '../support/registry/index.ts';
import type { Bench } from './hostile-bench.ts';
import { blobsAsked, blobsStored, expectNothingNamed, failure, startHostile } from './hostile-bench.ts';
import { tarLayer } from './test-layers.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

describe('pullImage() of a manifest that is not what it should be', () => {
  const text = (document: unknown): string => JSON.stringify(document);
  const zero = `sha256:${'0'.repeat(64)}`;
  const blob = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: zero, size: 2 };
  const both = { schemaVersion: 2, config: blob, layers: [], manifests: [] };

  it.each<[string, Fault, string, RegExp]>([
    [
      'R17 A5 a web page',
      { body: '<html>', headers: { 'content-type': 'text/html' } },
      'ERR_REGISTRY',
      /a web page \(text\/html\), not a manifest/,
    ],
    [
      'R17 A18 a page that says it is JSON',
      { body: '<\u001b[31m', headers: { 'content-type': MANIFEST } },
      'ERR_MANIFEST',
      /^Cannot parse "manifest \(.*\)": [ -~]*$/,
    ],
    [
      'R20 A5 an index in the clothes of a manifest',
      { body: text({ schemaVersion: 2, manifests: [] }), headers: { 'content-type': MANIFEST } },
      'ERR_MANIFEST',
      /its fields are those of an image index/,
    ],
    [
      'R20 A5 a manifest in the clothes of an index',
      { body: text({ schemaVersion: 2, config: blob, layers: [] }), headers: { 'content-type': INDEX } },
      'ERR_MANIFEST',
      /its fields are those of an image manifest/,
    ],
    [
      'R20 A5 another type inside than outside',
      { body: text({ schemaVersion: 2, mediaType: INDEX, manifests: [] }), headers: { 'content-type': MANIFEST } },
      'ERR_MANIFEST',
      /but the registry announced/,
    ],
    [
      'R20 A5 both at once',
      { body: text(both), headers: { 'content-type': MANIFEST } },
      'ERR_MANIFEST',
      /both "manifests" and/,
    ],
    [
      'R20 A5 both at once, as Go reads it',
      {
        body: text({ schemaVersion: 2, config: blob, layers: [], Manifests: [] }),
        headers: { 'content-type': MANIFEST },
      },
      'ERR_MANIFEST',
      /both "manifests" and/,
    ],
    [
      'R21 A5 schema 1',
      {
        body: text({ schemaVersion: 1, fsLayers: [] }),
        headers: { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
      },
      'ERR_UNSUPPORTED',
      /schema 1 is not supported/,
    ],
    [
      'R21 A5 layers of schema 1',
      {
        body: text({ schemaVersion: 2, config: blob, layers: [], fsLayers: [] }),
        headers: { 'content-type': MANIFEST },
      },
      'ERR_MANIFEST',
      /"fsLayers"/,
    ],
    [
      'R24 A10 more than 4 MiB',
      { body: Buffer.alloc(4 * 1024 * 1024 + 1, ' ') },
      'ERR_LIMIT',
      /more than 4194304 bytes/,
    ],
    [
      'R24 A10 more than 4 MiB in chunks',
      { body: Buffer.alloc(4 * 1024 * 1024 + 1, ' '), framing: 'chunked' },
      'ERR_LIMIT',
      /more than 4194304 bytes/,
    ],
    [
      'R32 an artifact',
      {
        body: text({
          schemaVersion: 2,
          config: { ...blob, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
          layers: [],
        }),
        headers: { 'content-type': MANIFEST },
      },
      'ERR_UNSUPPORTED',
      /not a container image/,
    ],
    [
      'R31 a foreign layer',
      {
        body: text({
          schemaVersion: 2,
          config: blob,
          layers: [{ ...blob, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }],
        }),
        headers: { 'content-type': 'application/vnd.docker.distribution.manifest.v2+json' },
      },
      'ERR_UNSUPPORTED',
      /foreign/,
    ],
  ])('%s: nothing more is asked for, and nothing is stored', async (_name, fault, code, message) => {
    const bench = await startHostile();
    bench.registry.faults.add({
      ...fault,
      headers: { 'docker-content-digest': null, ...fault.headers },
      path: '/manifests/v1',
    });
    const error = await failure(bench.pull());
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(bench.registry.log.map(({ path }) => path)).toEqual(['/v2/app/manifests/v1']);
    expect(blobsStored(bench)).toEqual([]);
    await expectNothingNamed(bench);
  });

  it('A10 a config of more than 4 MiB is refused before it is asked for', async () => {
    const bench = await startHostile();
    const config = { ...bench.image.config, size: 4 * 1024 * 1024 + 1 };
    putImage(bench.registry, 'app', 'large', { layers: [bench.layer], manifest: { config } });
    expect(await failure(bench.pull('large'))).toMatchObject({
      code: 'ERR_LIMIT',
      message: expect.stringContaining('its config has 4194305 bytes, and the limit is 4194304') as string,
    });
    expect(blobsAsked(bench)).toEqual([]);
    await expectNothingNamed(bench);
  });
});

describe('pullImage() of indexes', () => {
  const amd64 = { platform: { os: 'linux', architecture: 'amd64' } };

  /** `depth` indexes, one in the other, around the image. */
  function nest({ registry, image }: Bench, depth: number): void {
    let inner = image.manifest;
    for (let level = 1; level <= depth; level += 1)
      inner = putIndex(registry, 'app', `depth${level}`, [{ ...inner, ...amd64 }]);
  }

  it('A11 R22 takes an index of an index, and follows no further', async () => {
    const bench = await startHostile();
    nest(bench, 3);
    expect(await failure(bench.pull('depth3'))).toMatchObject({
      code: 'ERR_MANIFEST',
      message: expect.stringContaining('its indexes are nested deeper than 2') as string,
    });
    expect(bench.registry.log).toHaveLength(3);
    expect(blobsStored(bench)).toEqual([]);
    await bench.pull('depth2');
  });

  it('A11 R22 an index that says to hold itself ends at its digest', async () => {
    const bench = await startHostile();
    const self = { mediaType: INDEX, digest: sha256('another'), size: 300, ...amd64 };
    putIndex(bench.registry, 'app', 'self', [self]);
    const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [self] });
    bench.registry.faults.add({ path: self.digest, status: 200, body, headers: { 'content-type': INDEX }, times: 9 });
    expect(await failure(bench.pull('self'))).toMatchObject({
      code: 'ERR_INTEGRITY',
      message: expect.stringContaining(`and it was asked for by ${self.digest}`) as string,
    });
    expect(bench.registry.log).toHaveLength(2);
    await expectNothingNamed(bench);
  });

  it('A11 R22 an index of 10,000 entries is refused, and one of 2000 costs one request more', async () => {
    const bench = await startHostile();
    const entries = (count: number): never[] => [
      ...Array.from(
        { length: count - 1 },
        (_, index) => ({ ...bench.image.manifest, platform: { os: 'linux', architecture: `a${index}` } }) as never,
      ),
      { ...bench.image.manifest, ...amd64 } as never,
    ];
    putIndex(bench.registry, 'app', 'many', entries(10_000));
    putIndex(bench.registry, 'app', 'some', entries(2000));
    expect(await failure(bench.pull('many'))).toMatchObject({ code: 'ERR_LIMIT' });
    expect(bench.registry.log).toHaveLength(1);
    await bench.pull('some');
    expect(bench.registry.log.filter(({ path }) => path.includes('/manifests/'))).toHaveLength(3);
  });
});

describe('pullImage() of a tag that moves', () => {
  it('R65 A13 stays with the digest that the tag had when it was asked for', async () => {
    const bench = await startHostile();
    const { registry, image } = bench;
    const index = putIndex(registry, 'app', 'moving', [
      { ...image.manifest, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [{ ...image.manifest, platform: { os: 'linux', architecture: 'amd64' } }],
      }),
    );
    expect(sha256(bytes)).toBe(index.digest);
    registry.faults.add({
      path: '/manifests/moving',
      handle: (_request, response) => {
        response.writeHead(200, { 'content-type': INDEX }).end(bytes);
        putImage(registry, 'app', 'moving', { layers: [{ bytes: Buffer.from('other') }] });
      },
    });
    expect(await bench.pull('moving')).toMatchObject({ digest: index.digest, manifestDigest: image.manifest.digest });
    const asked = registry.log.map(({ path }) => path.replace('/v2/app/', '')).sort();
    const { config, layers } = image;
    expect(asked).toEqual(
      [
        'manifests/moving',
        `manifests/${image.manifest.digest}`,
        `blobs/${config.digest}`,
        `blobs/${layers[0]?.digest}`,
      ].sort(),
    );
  });

  it('A13 names what was fetched, not what a HEAD had said', async () => {
    const bench = await startHostile();
    const first = await bench.pull();
    const next = putImage(bench.registry, 'app', 'v1', { layers: [await tarLayer({ next: '' })] });
    const lie = `sha256:${'b'.repeat(64)}`;
    bench.registry.faults.add({ method: 'HEAD', headers: { 'docker-content-digest': lie } });
    expect(await bench.pull()).toMatchObject({ digest: next.manifest.digest });
    expect(first.digest).not.toBe(next.manifest.digest);
  });

  it('A6 R01 an image by digest is that or none, whatever the header says', async () => {
    const bench = await startHostile();
    const other = putImage(bench.registry, 'app', 'other', { layers: [await tarLayer({ other: '' })] });
    const { digest } = bench.image.manifest;
    bench.registry.faults.add({
      path: digest,
      handle: (_request, response) => {
        response.writeHead(200, { 'content-type': MANIFEST, 'docker-content-digest': digest });
        response.end(
          JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: other.config, layers: other.layers }),
        );
      },
    });
    const error = await failure(pullImage(bench.engine, `${bench.registry.host}/app@${digest}`));
    expect(error).toMatchObject({ code: 'ERR_INTEGRITY', message: expect.stringContaining(digest) as string });
    expect(bench.registry.log).toHaveLength(1);
    await expectNothingNamed(bench);
  });
});
