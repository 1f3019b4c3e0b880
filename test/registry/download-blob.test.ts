import { describe, expect, test } from 'vitest';
import { isToolError } from '../../src/errors.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { downloadBlob } from '../../src/registry/download-blob.ts';
import type { Fault } from '../support/registry/index.ts';
import { madeContent, sha256 } from '../support/registry/index.ts';
import type { MemorySink } from './open-repository.ts';
import { NAME, memorySink, openRepository } from './open-repository.ts';

const SIZE = 1024;
const BLOB = Buffer.from(Array.from({ length: SIZE }, (_, index) => (index * 7) % 251));

interface Outcome {
  /** Ranges that were asked for; '' for the whole. */
  ranges: string[];
  waits: number[];
  sink: MemorySink;
  /** Code and message of the failure. */
  error: { code: string; message: string } | undefined;
}

/** Downloads BLOB through `faults` into a sink that has its first `have` bytes. */
async function download(faults: Fault[], have = 0, overrides: Partial<Descriptor> = {}): Promise<Outcome> {
  const { registry, repository, timing } = await openRepository();
  const descriptor = { ...registry.putBlob(NAME, BLOB), ...overrides };
  registry.faults.add(...faults.map((fault) => ({ path: '/blobs/', ...fault })));
  const sink = memorySink(BLOB.subarray(0, have));
  const error = await downloadBlob({ repository, descriptor, sink }).then(
    () => undefined,
    (error: unknown) => {
      if (!isToolError(error)) throw error;
      return { code: error.code, message: error.message };
    },
  );
  const ranges = registry.log
    .filter(({ path }) => path.includes('/blobs/'))
    .map(({ headers }) => headers['range'] ?? '');
  return { ranges, waits: timing.waits, sink, error };
}

function isWhole({ sink, error }: Outcome): boolean {
  return error === undefined && sink.bytes.equals(BLOB);
}

describe('downloadBlob()', () => {
  test('fetches the whole in one request', async () => {
    const outcome = await download([]);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome).toMatchObject({ ranges: [''], waits: [] });
  });

  test('asks nothing for an empty blob', async () => {
    const outcome = await download([], 0, { digest: sha256(''), size: 0 });
    expect(outcome).toMatchObject({ ranges: [], error: undefined });
    expect(outcome.sink.offset).toBe(0);
  });

  test('reports what is there, and the seconds to the next try', async () => {
    const { registry, repository } = await openRepository();
    const descriptor = registry.putBlob(NAME, BLOB);
    registry.faults.add(
      { path: '/blobs/', endAfter: 1000 },
      { path: '/blobs/', status: 429, headers: { 'retry-after': '7' } },
    );
    const seen: Array<number | string> = [];
    await downloadBlob({
      repository,
      descriptor,
      sink: memorySink(BLOB.subarray(0, 5)),
      onProgress: (bytes) => seen.push(bytes),
      onRetry: (seconds) => seen.push(`retry in ${seconds}`),
    });
    expect(seen).toEqual([5, 1005, 'retry in 1', 'retry in 7', 1024]);
  });
});

describe('downloadBlob() length', () => {
  test.each<[string, Fault, RegExp]>([
    ['R04 a short blob', { body: BLOB.subarray(1) }, /sends 1023 bytes, and its descriptor says 1024/],
    ['R05 a long blob', { body: Buffer.concat([BLOB, BLOB]) }, /sends 2048 bytes/],
    ['R05 a long blob without a length', { body: Buffer.concat([BLOB, BLOB]), framing: 'chunked' }, /sends more/],
    ['R04 a short blob without a length', { body: BLOB.subarray(1), framing: 'chunked' }, /sends 1023 bytes/],
    ['R06 another length in the head', { headers: { 'content-length': '1025' } }, /sends 1025 bytes/],
    [
      'R06 another length in the head of the rest',
      { headers: { 'content-length': '9' }, ranged: true },
      /sends 9 bytes/,
    ],
  ])('%s is refused, and not asked for again', async (_name, fault, message) => {
    const have = fault.ranged === true ? 10 : 0;
    const outcome = await download([fault], have);
    expect(outcome.error).toMatchObject({ code: 'ERR_INTEGRITY', message: expect.stringMatching(message) as string });
    expect(outcome.error?.message).toContain(sha256(BLOB));
    expect(outcome.ranges).toHaveLength(1);
    expect(outcome.sink.offset).toBeLessThanOrEqual(SIZE);
  });

  test('R05 R06 takes no byte of a body whose length is wrong', async () => {
    expect((await download([{ headers: { 'content-length': '1025' } }])).sink.offset).toBe(0);
    expect((await download([{ body: Buffer.concat([BLOB, BLOB]), framing: 'chunked' }])).sink.offset).toBe(0);
  });

  test.each<[string, Fault]>([
    ['chunked', { framing: 'chunked' }],
    ['until the connection closes', { framing: 'close' }],
  ])('R07 a body without a length (%s) is fine', async (_name, fault) => {
    expect(isWhole(await download([fault]))).toBe(true);
  });

  test.each(['-1', '5, 5', '5, 6', '1' + '0'.repeat(30), '0x400', ''])(
    'R07 Content-Length %j is refused',
    async (length) => {
      const outcome = await download([{ raw: Buffer.concat([head(`content-length: ${length}`), BLOB]), times: 9 }]);
      expect(outcome.error?.code).toMatch(/^ERR_(NETWORK|INTEGRITY)$/);
      expect(outcome.sink.offset).toBe(0);
    },
  );

  test('R07 two Content-Length headers are refused', async () => {
    const raw = Buffer.concat([head('content-length: 1024\r\ncontent-length: 1024'), BLOB]);
    expect((await download([{ raw, times: 9 }])).error?.code).toMatch(/^ERR_(NETWORK|INTEGRITY)$/);
  });

  test('R10 bytes after the end are not taken, nor for the next answer', async () => {
    const { registry, repository } = await openRepository();
    const descriptor = registry.putBlob(NAME, BLOB);
    const raw = Buffer.concat([
      head('content-length: 1024'),
      BLOB,
      Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil'),
    ]);
    registry.faults.add({ path: '/blobs/', raw });
    for (let round = 0; round < 2; round += 1) {
      const sink = memorySink();
      await downloadBlob({ repository, descriptor, sink });
      expect(sink.bytes.equals(BLOB)).toBe(true);
    }
  });

  test('R03 leaves wrong bytes of the right length to who verifies', async () => {
    const outcome = await download([{ body: Buffer.alloc(SIZE) }]);
    expect(outcome.error).toBeUndefined();
    expect(outcome.sink.bytes.equals(BLOB)).toBe(false);
  });
});

describe('downloadBlob() resuming', () => {
  test.each([0, 1, 511, SIZE / 2, SIZE - 1])(
    'R08 goes on where the connection broke, after %i bytes',
    async (bytes) => {
      for (const fault of [{ endAfter: bytes }, { resetAfter: bytes }] satisfies Fault[]) {
        const outcome = await download([fault]);
        expect(isWhole(outcome)).toBe(true);
        expect(outcome.ranges.slice(1)).toEqual([bytes === 0 ? '' : `bytes=${bytes}-`]);
        expect(outcome.sink.resets).toBe(0);
      }
    },
  );

  test('R08 is content when all bytes came and only the end is missing', async () => {
    const outcome = await download([{ framing: 'chunked', endAfter: SIZE }]);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome).toMatchObject({ ranges: [''], waits: [] });
  });

  test('R09 resumes a chunked body that was cut', async () => {
    const outcome = await download([{ framing: 'chunked', endAfter: 100 }]);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome.ranges).toEqual(['', 'bytes=100-']);
  });

  test('R07 R08 resumes a body without any framing that ended early', async () => {
    const outcome = await download([{ framing: 'close', endAfter: 100 }]);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome.ranges).toEqual(['', 'bytes=100-']);
  });

  test('R08 gives up after five tries that bring too little', async () => {
    const outcome = await download([{ endAfter: 1, times: 99 }]);
    expect(outcome.error?.code).toBe('ERR_NETWORK');
    expect(outcome.ranges).toEqual(['', 'bytes=1-', 'bytes=2-', 'bytes=3-', 'bytes=4-']);
    expect(outcome.sink.offset).toBe(5);
    expect(outcome.waits).toEqual([1000, 2000, 4000, 8000]);
  });

  test('R08 does not give up while it gets on', async () => {
    const { registry, repository, timing } = await openRepository();
    const descriptor = registry.putBlob(NAME, madeContent(1_000_003));
    registry.faults.add({ path: '/blobs/', endAfter: 100_000, times: 10 });
    const sink = memorySink();
    await downloadBlob({ repository, descriptor, sink });
    expect(sha256(sink.bytes)).toBe(descriptor.digest);
    expect(timing.waits).toEqual(Array.from({ length: 10 }, () => 1000));
  });

  test('resumes what an earlier process left', async () => {
    const outcome = await download([], 1000);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome.ranges).toEqual(['bytes=1000-']);
  });

  test('R13 asks nothing when all is there already, and starts over when there is more', async () => {
    expect((await download([], SIZE)).ranges).toEqual([]);
    const { registry, repository } = await openRepository();
    const descriptor = registry.putBlob(NAME, BLOB);
    const sink = memorySink(Buffer.alloc(SIZE + 1));
    await downloadBlob({ repository, descriptor, sink });
    expect(sink.bytes.equals(BLOB)).toBe(true);
  });

  test('R11 starts over when the registry sends the whole', async () => {
    const outcome = await download([{ ignoreRange: true }], 1000);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome).toMatchObject({ ranges: ['bytes=1000-'], sink: { resets: 1 } });
  });

  test('R11 does not start over for ever', async () => {
    const { registry, repository } = await openRepository();
    const descriptor = registry.putBlob(NAME, madeContent(1_000_003));
    registry.faults.add({ path: '/blobs/', ignoreRange: true, endAfter: 200_000, times: 99 });
    await expect(downloadBlob({ repository, descriptor, sink: memorySink() })).rejects.toMatchObject({
      code: 'ERR_NETWORK',
    });
    expect(registry.log.filter(({ path }) => path.includes('/blobs/'))).toHaveLength(5);
  });

  test.each<[string, string | string[] | null]>([
    ['another start', 'bytes 99-1023/1024'],
    ['another total', 'bytes 100-1023/2048'],
    ['an earlier end', 'bytes 100-1022/1024'],
    ['an unknown total', 'bytes 100-1023/*'],
    ['no header', null],
    ['two headers', ['bytes 100-1023/1024', 'bytes 100-1023/1024']],
    ['no range', 'bytes */1024'],
  ])('R12 A16 starts over when the part has %s', async (_name, value) => {
    const outcome = await download([{ headers: { 'content-range': value } }], 100);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome).toMatchObject({ ranges: ['bytes=100-', ''], sink: { resets: 1 } });
  });

  test('R13 starts over when the registry knows no such range', async () => {
    const outcome = await download([{ status: 416, ranged: true }], 100);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome).toMatchObject({ ranges: ['bytes=100-', ''], sink: { resets: 1 } });
    expect((await download([{ status: 416, times: 9 }], 100)).error).toMatchObject({ code: 'ERR_REGISTRY' });
  });

  test('R14 refuses a part that was not asked for', async () => {
    const outcome = await download([{ status: 206, headers: { 'content-range': 'bytes 0-1023/1024' } }]);
    expect(outcome.error).toMatchObject({ code: 'ERR_REGISTRY', message: expect.stringContaining('206') as string });
  });
});

describe('downloadBlob() answers', () => {
  test.each(['gzip', 'br', 'zstd', Array.from({ length: 100 }, () => 'gzip').join(', ')])(
    'R16 refuses Content-Encoding %j',
    async (encoding) => {
      const outcome = await download([{ headers: { 'content-encoding': encoding } }]);
      expect(outcome.error).toMatchObject({ code: 'ERR_REGISTRY' });
      expect(outcome.sink.offset).toBe(0);
    },
  );

  test.each([500, 503, 429, 408])('R54 goes on after %i', async (status) => {
    const outcome = await download([{ status }, { endAfter: 10 }, { status }]);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome.ranges).toEqual(['', '', 'bytes=10-', 'bytes=10-']);
  });

  test('R54 gives up with the last status', async () => {
    expect((await download([{ status: 503, times: 9 }])).error).toMatchObject({
      code: 'ERR_REGISTRY',
      message: expect.stringContaining('503 Service Unavailable') as string,
    });
  });

  test('says that a blob is missing, and does not ask again', async () => {
    const { registry, repository } = await openRepository();
    registry.putBlob(NAME, BLOB);
    const digest = sha256('nothing');
    const descriptor = { mediaType: 'x', digest, size: 7 };
    await expect(downloadBlob({ repository, descriptor, sink: memorySink() })).rejects.toMatchObject({
      code: 'ERR_REGISTRY',
      message: `Cannot download "${digest}": ${registry.host} answered 404 Not Found: blob unknown: blob unknown to registry`,
    });
    expect(registry.log.filter(({ path }) => path.includes('/blobs/'))).toHaveLength(1);
  });

  const GARBLED = 'did not answer in HTTP/1.1';
  test.each<[string, string | Buffer, string]>([
    ['a status line of garbage', 'SMTP 220 hello\r\n\r\n', GARBLED],
    ['HTTP/0.9', '<html>hello</html>', GARBLED],
    ['HTTP/2', Buffer.from('\x00\x00\x00\x04\x00\x00\x00\x00\x00', 'latin1'), GARBLED],
    ['a header with a NUL in it', 'HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n', GARBLED],
    ['1 MiB of one header', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(1 << 20)}`, 'sent an answer with too large a head'],
    ['10,000 headers', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}\r\n`, 'sent an answer with too large a head'],
  ])('R55 A10 refuses %s', async (_name, raw, message) => {
    const { error, sink } = await download([{ raw, times: 9 }]);
    expect(error).toMatchObject({ code: 'ERR_NETWORK', message: expect.stringContaining(message) as string });
    expect(sink.offset).toBe(0);
  });

  test('R59 asks again at once when a kept connection is closed', async () => {
    const outcome = await download([{ connection: 'reset' }]);
    expect(isWhole(outcome)).toBe(true);
    expect(outcome.waits).toEqual([]);
  });

  test('what the sink throws ends the download', async () => {
    const { registry, repository } = await openRepository();
    const descriptor = registry.putBlob(NAME, BLOB);
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const sink = { ...memorySink(), offset: 0, write: async () => Promise.reject(full) };
    await expect(downloadBlob({ repository, descriptor, sink })).rejects.toBe(full);
    expect(registry.log.filter(({ path }) => path.includes('/blobs/'))).toHaveLength(1);
  });
});

function head(headers: string): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n`);
}
