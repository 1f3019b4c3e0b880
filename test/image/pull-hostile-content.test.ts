import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listImages } from '../../src/image/list-images.ts';
import { findRunnableImage } from '../../src/image/runnable-image.ts';
import { wrongBlobs } from '../store/open-test-store.ts';
import type { Fault } from '../support/registry/index.ts';
import { putImage } from '../support/registry/index.ts';
import {
  blobsAsked,
  blobsStored,
  expectNothingNamed,
  failure,
  startHostile,
  startTestRegistry,
} from './hostile-bench.ts';
import { tarLayer } from './test-layers.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

describe('pullImage() of descriptors that say too much', () => {
  it.each<[string, (bytes: Buffer) => unknown]>([
    ['right', (bytes) => bytes.toString('base64')],
    ['of another digest', (bytes) => Buffer.alloc(bytes.byteLength, 'x').toString('base64')],
    ['of another size', (bytes) => bytes.subarray(1).toString('base64')],
    ['no base64', () => '%%%'],
    ['empty', () => ''],
    ['1 MiB', () => 'A'.repeat(1024 * 1024)],
  ])('R29 data that is %s is not used: the blob is fetched and verified', async (_name, make) => {
    const bench = await startHostile();
    const { config, layers } = bench.image;
    const data = make(Buffer.from(bench.layer.bytes));
    putImage(bench.registry, 'app', 'data', {
      layers: [bench.layer],
      config: { Cmd: ['/bin/tool'] },
      manifest: { layers: [{ ...layers[0], data }] },
    });
    await bench.pull('data');
    expect(blobsAsked(bench).sort()).toEqual([config.digest, layers[0]?.digest ?? ''].sort());
    expect(wrongBlobs(bench.engine.store.root)).toEqual([]);
  });

  it('R29 A10 data of 100 MB makes the manifest too large, and is not read to its end', async () => {
    const bench = await startHostile();
    let sent = 0;
    bench.registry.faults.add({
      path: '/manifests/',
      handle: (_request, response) => {
        response.writeHead(200, { 'content-type': MANIFEST });
        const more = (): void => {
          if (sent >= 100e6 || response.destroyed) return void response.end();
          sent += 1e6;
          response.write(Buffer.alloc(1e6, 'A'), more);
        };
        response.write('{"schemaVersion":2,"config":{"data":"', more);
      },
    });
    expect(await failure(bench.pull())).toMatchObject({ code: 'ERR_LIMIT' });
    expect(sent).toBeLessThan(50e6);
  });

  it('R30 A1 A4 urls are never requested, and no login goes there', async () => {
    const bench = await startHostile();
    const elsewhere = await startTestRegistry();
    const { layers, config } = bench.image;
    const urls = [
      `${elsewhere.url}/layer`,
      `http://user:pass@${elsewhere.host}/layer`,
      'http://169.254.169.254/latest/meta-data/',
      'file:///etc/passwd',
      'not a URL \u001b[31m',
    ];
    putImage(bench.registry, 'app', 'urls', {
      layers: [bench.layer],
      config: { Cmd: ['/bin/tool'] },
      manifest: { config: { ...config, urls }, layers: [{ ...layers[0], urls }] },
    });
    await bench.pull('urls');
    expect(blobsAsked(bench).sort()).toEqual([config.digest, layers[0]?.digest ?? ''].sort());
    bench.registry.remove('app', layers[0]?.digest ?? '');
    const other = await startHostile();
    putImage(other.registry, 'app', 'urls', { layers: [bench.layer], manifest: { layers: [{ ...layers[0], urls }] } });
    other.registry.remove('app', layers[0]?.digest ?? '');
    expect(await failure(other.pull('urls'))).toMatchObject({
      code: 'ERR_REGISTRY',
      message: expect.stringContaining('404') as string,
    });
    expect(elsewhere.log).toEqual([]);
    await expectNothingNamed(other);
  });

  it('R34 A7 what a subject or an annotation says of digests is not looked at', async () => {
    const bench = await startHostile();
    const subject = { mediaType: MANIFEST, digest: 'sha256:../../../../tmp/x', size: -1 };
    const annotations = { 'org.opencontainers.image.base.digest': '../../x' };
    putImage(bench.registry, 'app', 'odd', { layers: [bench.layer], manifest: { subject, annotations } });
    await bench.pull('odd');
    expect(wrongBlobs(bench.engine.store.root)).toEqual([]);
  });

  it('A8 an image is known by what we computed, whatever IDs it claims', async () => {
    const bench = await startHostile();
    const victim = await bench.pull();
    const evil = await tarLayer({ 'bin/tool': 'evil' });
    const claims = { id: victim.imageId, container: victim.imageId, parent: victim.imageId };
    putImage(bench.registry, 'app', 'evil', {
      layers: [evil],
      config: { ...claims, Image: victim.imageId },
      manifest: {
        annotations: { ...claims, 'org.opencontainers.image.ref.name': `${bench.registry.host}/app:v1` },
        ...claims,
      },
    });
    const pulled = await bench.pull('evil');
    expect(pulled.imageId).not.toBe(victim.imageId);
    expect((await findRunnableImage(bench.engine, victim.imageId))?.config.config.cmd).toEqual(['/bin/tool']);
    expect((await listImages(bench.engine)).map(({ id }) => id).sort()).toEqual(
      [pulled.imageId, victim.imageId].sort(),
    );
    expect(await bench.pull()).toMatchObject({ imageId: victim.imageId, upToDate: true });
  });
});

describe('pullImage() and headers of answers', () => {
  it('R66 A4 follows no Link', async () => {
    const bench = await startHostile();
    const elsewhere = await startTestRegistry();
    const link = [`<${elsewhere.url}/v2/_catalog?n=1>; rel="next"`, '</v2/app/tags/list?last=x>; rel="next"'];
    bench.registry.faults.add({
      headers: { link, refresh: `0; url=${elsewhere.url}`, 'alt-svc': `h2="${elsewhere.host}"` },
      times: 99,
    });
    await bench.pull();
    await bench.pull();
    expect(elsewhere.log).toEqual([]);
    expect(
      bench.registry.log.every(({ path }) => /^\/v2\/app\/(manifests\/v1|blobs\/sha256:[0-9a-f]{64})$/.test(path)),
    ).toBe(true);
  });

  it('A1 keeps no cookie', async () => {
    const bench = await startHostile();
    bench.registry.faults.add({ headers: { 'set-cookie': ['a=b; Path=/', 'c=d'] }, times: 99 });
    await bench.pull();
    expect(bench.registry.log.some(({ headers }) => 'cookie' in headers)).toBe(false);
  });
});

describe('pullImage() of blobs that are not what they should be', () => {
  it.each<[string, Fault, string, RegExp, number]>([
    ['R03 other bytes', { body: 'x'.repeat(5000) }, 'ERR_INTEGRITY', /sha256:/, 2],
    [
      'R04 too few bytes',
      { endAfter: 3, headers: { 'content-length': '3' } },
      'ERR_INTEGRITY',
      /sends 3 bytes, and its descriptor says \d+/,
      2,
    ],
    [
      'R05 A15 too many bytes',
      { body: Buffer.alloc(5 << 20), framing: 'chunked' },
      'ERR_INTEGRITY',
      /sends more, and its descriptor says \d+/,
      2,
    ],
    ['R06 another length', { headers: { 'content-length': '7' } }, 'ERR_INTEGRITY', /sends 7 bytes, and/, 2],
    [
      'R16 A12 compressed bytes',
      { headers: { 'content-encoding': 'gzip, gzip' } },
      'ERR_REGISTRY',
      /Content-Encoding "gzip, gzip"/,
      1,
    ],
    ['R14 A16 a part', { status: 206 }, 'ERR_REGISTRY', /it sent a part \(206\)/, 1],
    [
      'R18 A18 an error with escape codes',
      { status: 404, body: '{"errors":[{"code":"\\u001b[31m","message":"a\\nb\\u202e"}]}' },
      'ERR_REGISTRY',
      /\\x1b\[31m: a\\nb\\u202e/,
      1,
    ],
  ])('%s: told with host and digest, nothing is kept', async (name, fault, code, message, tries) => {
    const bench = await startHostile();
    const digest = bench.image.layers[0]?.digest ?? '';
    const body = name.startsWith('R03') ? { body: Buffer.alloc(bench.image.layers[0]?.size ?? 0, 'x') } : {};
    bench.registry.faults.add({ ...fault, ...body, path: digest, times: 99 });
    const error = await failure(bench.pull());
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(error.message).toContain(digest);
    expect(error.message).toMatch(/^[ -~…]*$/);
    expect(blobsAsked(bench).filter((one) => one === digest)).toHaveLength(tries);
    expect(blobsStored(bench)).not.toContain(digest);
    expect(readdirSync(bench.engine.store.paths.ingest)).toEqual([]);
    await expectNothingNamed(bench);
  });
});
