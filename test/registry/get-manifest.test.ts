import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { errorBody } from '../support/registry/index.ts';
import { NAME, openRepository } from './open-repository.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const BYTES = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [] }));
const OTHER = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [1] }));
const DIGEST = digestOf(BYTES);

/** One repository with the tag `v1`. */
async function setup(options: Parameters<typeof openRepository>[0] = {}) {
  const opened = await openRepository(options);
  opened.registry.putManifest(NAME, 'v1', BYTES, OCI_MANIFEST);
  return opened;
}

/** Requests for manifests that were made, as `GET v1`. */
function asked({ log }: { log: ReadonlyArray<{ method: string; path: string }> }): string[] {
  return log
    .filter(({ path }) => path.includes('/manifests/'))
    .map(({ method, path }) => `${method} ${path.replace(/^.*\//, '')}`);
}

describe('getManifest() content', () => {
  test('gives the bytes as they came, with their digest', async () => {
    const { repository, registry } = await setup();
    for (const name of ['v1', DIGEST]) {
      const found = await repository.getManifest(name);
      expect(found.descriptor).toEqual({ mediaType: OCI_MANIFEST, digest: DIGEST, size: BYTES.byteLength });
      expect(Buffer.from(found.bytes)).toEqual(BYTES);
      expect(found.contentType).toBe(OCI_MANIFEST);
    }
    expect(asked(registry)).toEqual(['GET v1', `GET ${DIGEST}`]);
  });

  test('A12 asks for manifests and indexes, not for compressed bytes', async () => {
    const { repository, registry } = await setup();
    await repository.getManifest('v1');
    const { headers } = registry.log.at(-1)!;
    expect(headers['accept-encoding']).toBe('identity');
    expect(headers['accept']?.split(', ')).toEqual(expect.arrayContaining([OCI_INDEX, OCI_MANIFEST]));
    expect(headers['user-agent']).toBe('mydocker');
    await repository.getManifest('v1', { accept: ['text/x'] });
    expect(registry.log.at(-1)!.headers['accept']).toBe('text/x');
  });

  test('R01 refuses bytes that have not the digest asked for, and does not ask again', async () => {
    const { repository, registry } = await setup();
    registry.faults.add({ path: DIGEST, body: OTHER, times: 5 });
    await expect(repository.getManifest(DIGEST)).rejects.toMatchObject({
      code: 'ERR_INTEGRITY',
      expected: DIGEST,
      actual: digestOf(OTHER),
    });
    expect(asked(registry)).toEqual([`GET ${DIGEST}`]);
  });

  test('R01 R28 checks a sha512 digest by sha512', async () => {
    const { repository, registry } = await setup();
    const digest = digestOf(BYTES, 'sha512');
    registry.putManifest(NAME, digest, BYTES, OCI_MANIFEST);
    expect((await repository.getManifest(digest)).descriptor.digest).toBe(digest);
    registry.putManifest(NAME, digest, OTHER, OCI_MANIFEST);
    await expect(repository.getManifest(digest)).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
  });

  test('R02 refuses a tag whose header has another digest', async () => {
    const { repository, registry } = await setup();
    registry.faults.add({ path: 'v1', headers: { 'docker-content-digest': digestOf(OTHER) } });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_INTEGRITY',
      expected: digestOf(OTHER),
    });
    registry.faults.add({ path: 'v1', headers: { 'docker-content-digest': digestOf(OTHER, 'sha512') } });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
  });

  test.each([
    ['is missing', null],
    ['is of sha512', digestOf(BYTES, 'sha512')],
    ['is of an unknown algorithm', 'md5:0'],
    ['is nonsense', '../../etc/passwd'],
    ['comes twice', [DIGEST, digestOf(OTHER)]],
  ])('R02 goes by the bytes where the header %s', async (_name, value) => {
    const { repository, registry } = await setup();
    registry.faults.add({ path: 'v1', headers: { 'docker-content-digest': value } });
    expect((await repository.getManifest('v1')).descriptor.digest).toBe(DIGEST);
  });

  test('R16 refuses a content encoding', async () => {
    const { repository, registry } = await setup();
    registry.faults.add({ path: 'v1', headers: { 'content-encoding': 'gzip' } });
    await expect(repository.getManifest('v1')).rejects.toThrow(/Content-Encoding "gzip"/);
    registry.faults.add({ path: 'v1', headers: { 'content-encoding': 'identity' } });
    expect((await repository.getManifest('v1')).descriptor.digest).toBe(DIGEST);
  });

  test('R17 refuses a web page with status 200', async () => {
    const { repository, registry } = await setup();
    registry.faults.add({ path: 'v1', headers: { 'content-type': 'Text/HTML; charset=x' }, body: '<html>\x1b[31m' });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_REGISTRY',
      message: expect.stringContaining('web page (text/html), not a manifest') as string,
    });
    expect(asked(registry)).toHaveLength(1);
  });

  test.each([null, 'text/plain', 'application/json; charset=utf-8'])(
    'R19 takes the media type from the document when the header is %s',
    async (type) => {
      const { repository, registry } = await setup();
      registry.faults.add({ path: 'v1', headers: { 'content-type': type } });
      const found = await repository.getManifest('v1');
      expect(found.descriptor.mediaType).toBe(OCI_MANIFEST);
      expect(found.contentType).toBe(type ?? undefined);
    },
  );

  test('R19 tells an index without a media type by its manifests', async () => {
    const { repository, registry } = await setup();
    registry.putManifest(NAME, 'index', Buffer.from('{"manifests":[]}'), 'application/json');
    registry.putManifest(NAME, 'plain', Buffer.from('{"layers":[]}'), 'application/json');
    expect((await repository.getManifest('index')).descriptor.mediaType).toBe(OCI_INDEX);
    expect((await repository.getManifest('plain')).descriptor.mediaType).toBe(OCI_MANIFEST);
  });

  test('R24 stops at 4 MiB, told by the length or found out', async () => {
    const { repository, registry } = await setup();
    const large = Buffer.alloc(4 * 1024 * 1024 + 1, ' ');
    for (const framing of [undefined, 'chunked', 'close'] as const) {
      registry.faults.add({ path: 'v1', body: large, ...(framing && { framing }) });
      await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_LIMIT' });
    }
    expect(asked(registry)).toHaveLength(3);
  });

  test('R14 refuses a part that was not asked for', async () => {
    const { repository, registry } = await setup();
    registry.faults.add({ path: 'v1', status: 206, headers: { 'content-range': 'bytes 0-9/100' } });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_REGISTRY' });
  });

  test('R08 asks again when the answer is cut', async () => {
    const { repository, registry, timing } = await setup();
    registry.faults.add({ path: 'v1', endAfter: 10 }, { path: 'v1', endAfter: 5, framing: 'chunked' });
    expect((await repository.getManifest('v1')).descriptor.digest).toBe(DIGEST);
    expect(timing.waits).toEqual([1000, 2000]);
  });
});

describe('getManifest() errors', () => {
  test.each([
    [
      404,
      errorBody('MANIFEST_UNKNOWN', 'manifest unknown'),
      'ERR_REGISTRY',
      'manifest for HOST/app/web:v1 not found: manifest unknown: manifest unknown',
    ],
    [
      404,
      errorBody('NAME_UNKNOWN', 'repository name not known to registry'),
      'ERR_REGISTRY',
      'repository HOST/app/web not found: name unknown: repository name not known to registry',
    ],
    [404, '', 'ERR_REGISTRY', 'manifest for HOST/app/web:v1 not found: manifest unknown: HOST answered 404 Not Found'],
    [
      403,
      errorBody('DENIED', 'requested access to the resource is denied'),
      'ERR_AUTH',
      "pull access denied for HOST/app/web, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ],
    [403, '<html>', 'ERR_AUTH', 'Cannot pull "HOST/app/web:v1": HOST answered 403 Forbidden'],
    [
      401,
      errorBody('UNAUTHORIZED', 'authentication required'),
      'ERR_AUTH',
      "pull access denied for HOST/app/web, repository does not exist or may require 'docker login': unauthorized: authentication required",
    ],
    [
      400,
      errorBody('TAG_INVALID', 'bad \x1b[31mtag\n'),
      'ERR_REGISTRY',
      'Cannot pull "HOST/app/web:v1": HOST answered 400 Bad Request: tag invalid: bad \\x1b[31mtag\\n',
    ],
    [418, '{"errors":[]}', 'ERR_REGISTRY', 'Cannot pull "HOST/app/web:v1": HOST answered 418 I\'m a Teapot'],
    [418, '{"errors":[{"code":5}]}', 'ERR_REGISTRY', 'Cannot pull "HOST/app/web:v1": HOST answered 418 I\'m a Teapot'],
    [418, 'null', 'ERR_REGISTRY', 'Cannot pull "HOST/app/web:v1": HOST answered 418 I\'m a Teapot'],
  ])('R18 R44 %i %j', async (status, body, code, message) => {
    const { repository, registry } = await setup();
    registry.faults.add({ path: 'v1', status, body });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code,
      status,
      method: 'GET',
      url: `${registry.url}/v2/app/web/manifests/v1`,
      message: message.replaceAll('HOST', registry.host),
    });
    expect(asked(registry)).toHaveLength(1);
  });

  test("R18 shows a text body's start, cleaned, and reads no more than 1 MiB of it", async () => {
    const { repository, registry } = await setup();
    registry.faults.add({
      path: 'v1',
      handle: (_request, response) => {
        response.writeHead(400, { 'content-type': 'text/plain' });
        response.write('no\x07 \u202e');
        const block = Buffer.alloc(64 * 1024, 'x');
        const sendOn = (): void => void (response.destroyed || response.write(block, sendOn)); // for ever
        sendOn();
      },
    });
    const error = await repository.getManifest('v1').catch((error: unknown) => error as Error);
    expect(error).toMatchObject({ message: expect.stringContaining('400 Bad Request: no\\x07 \\u202exx') as string });
    expect((error as Error).message.length).toBeLessThan(500);
  });

  test.each([421, 999])('R55 maps status %i', async (status) => {
    const { repository, registry } = await setup();
    registry.faults.add({ path: 'v1', status });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_REGISTRY', status });
    expect(asked(registry)).toHaveLength(1);
  });

  test.each([408, 425, 429, 500, 502, 503, 504, 520])('R54 R55 tries again after %i', async (status) => {
    const { repository, registry, timing } = await setup();
    registry.faults.add({ path: 'v1', status });
    expect((await repository.getManifest('v1')).descriptor.digest).toBe(DIGEST);
    expect(timing.waits).toEqual([1000]);
  });

  test('R54 gives up after five, with the last status', async () => {
    const { repository, registry } = await setup();
    registry.faults.add({ path: 'v1', status: 500, times: 4 }, { path: 'v1', status: 503, times: 9 });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ status: 503 });
    expect(asked(registry)).toHaveLength(5);
  });

  test.each([
    ['2', 2000],
    ['Tue, 02 Jan 2024 03:04:35 GMT', 30_000],
    ['Tue, 02 Jan 2024 03:04:00 GMT', 1000],
    ['1000000000', 60_000],
    ['soon', 1000],
  ])('R52 429 with Retry-After %j waits %i ms', async (header, expected) => {
    const { repository, registry, timing } = await setup();
    registry.faults.add({ path: 'v1', status: 429, headers: { 'retry-after': header } });
    await repository.getManifest('v1');
    expect(timing.waits).toEqual([expected]);
  });

  test('R53 names the limit of Docker Hub, and does not wait for hours', async () => {
    const { repository, registry, timing } = await setup();
    const message = 'You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit';
    const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' };
    registry.faults.add({ path: 'v1', status: 429, body: errorBody('TOOMANYREQUESTS', message), headers, times: 5 });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      status: 429,
      message: `toomanyrequests: ${message} (limit: 100 in 6 h)`,
    });
    expect(timing.waits).toEqual([]);
  });

  test('A18 leaves secrets out of the URL in errors', async () => {
    const { repository, registry } = await setup();
    const location = `${registry.url}/elsewhere?signature=secret`;
    registry.faults.add({ path: 'v1', status: 307, headers: { location } }, { path: 'elsewhere', status: 400 });
    const error = await repository.getManifest('v1').catch((error: unknown) => error as Error);
    expect(error).toMatchObject({ url: `${registry.url}/elsewhere` });
    expect(`${JSON.stringify(error)} ${(error as Error).message}`).not.toContain('secret');
  });
});

describe('headManifest()', () => {
  test('gives the digest that the registry says', async () => {
    const { repository, registry } = await setup();
    expect(await repository.headManifest('v1')).toBe(DIGEST);
    expect(asked(registry)).toEqual(['HEAD v1']);
  });

  test.each([
    ['405', { status: 405 }],
    ['404', { status: 404 }],
    ['501', { status: 501 }],
    ['429', { status: 429 }],
    ['401', { status: 401, headers: { 'www-authenticate': 'Digest realm=x' } }],
    ['no header', { headers: { 'docker-content-digest': null } }],
    ['a header that is no digest', { headers: { 'docker-content-digest': 'latest' } }],
    ['a broken connection', { connection: 'reset' as const }],
  ])('R62 gives nothing for %s, at the first try', async (_name, fault) => {
    const { repository, registry, timing } = await setup();
    await repository.headManifest('v1');
    registry.log.length = 0;
    registry.faults.add({ method: 'HEAD', path: 'v1', times: 9, ...fault });
    expect(await repository.headManifest('v1')).toBeUndefined();
    expect(asked(registry)).toEqual(['HEAD v1']);
    expect(timing.waits).toEqual([]);
    expect((await repository.getManifest('v1')).descriptor.digest).toBe(DIGEST);
  });

  test('R62 does not mind a wrong length, or a body', async () => {
    const { repository, registry } = await setup();
    registry.faults.add({ method: 'HEAD', path: 'v1', headers: { 'content-length': '7' } });
    expect(await repository.headManifest('v1')).toBe(DIGEST);
    const head = `HTTP/1.1 200 OK\r\ndocker-content-digest: ${DIGEST}\r\ncontent-length: 5\r\n\r\nhello`;
    registry.faults.add({ method: 'HEAD', path: 'v1', raw: head });
    expect(await repository.headManifest('v1')).toBe(DIGEST);
    expect((await repository.getManifest('v1')).descriptor.digest).toBe(DIGEST);
  });
});
