import { describe, expect, test } from 'vitest';
import { downloadBlob } from '../../src/registry/download-blob.ts';
import type { Fault } from '../support/registry/index.ts';
import { sha256 } from '../support/registry/index.ts';
import type { Setup } from './open-repository.ts';
import { NAME, memorySink, openRepository } from './open-repository.ts';

// Answers that no row of the catalogue lists, by the same rules: what is not HTTP as asked for is refused or asked for
// again, and nothing of it reaches the sink that does not belong there.

const BLOB = Buffer.from(Array.from({ length: 1024 }, (_, index) => (index * 7) % 251));
const MANIFEST = '{"layers":[]}';

async function open(): Promise<Setup & { descriptor: ReturnType<Setup['registry']['putBlob']> }> {
  const setup = await openRepository();
  setup.registry.putManifest(NAME, 'v1', Buffer.from(MANIFEST), 'application/json');
  return { ...setup, descriptor: setup.registry.putBlob(NAME, BLOB) };
}

const raw = (head: string, ...body: Array<string | Uint8Array>): Buffer =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`), ...body.map((part) => Buffer.from(part))]);
const chunked = (...parts: Array<string | Uint8Array>): Buffer => raw('transfer-encoding: chunked', ...parts);

describe('an odd answer for a blob', () => {
  const GARBLED = /did not answer in HTTP\/1\.1/;
  const CHUNKS = /broke off its answer \(Response does not match/;
  test.each<[string, Buffer, RegExp]>([
    [
      'has both a length and chunks',
      raw('content-length: 1024\r\ntransfer-encoding: chunked', '400\r\n', BLOB, '\r\n0\r\n\r\n'),
      /broke the connection off/,
    ],
    ['has a chunk of too large a size', chunked('fffffffffffffffff\r\n', BLOB), CHUNKS],
    ['has a chunk of a negative size', chunked('-1\r\n', BLOB), CHUNKS],
    ['has a chunk without a size', chunked('\r\n', BLOB), CHUNKS],
    ['is a web page', raw('content-length: 6', '<html>'), /sends 6 bytes, and its descriptor says 1024/],
    ['has a header folded over lines', raw('content-length:\r\n 10\r\n 24', BLOB), GARBLED],
    ['has a carriage return in a header', raw('x: a\rcontent-length: 1024', BLOB), GARBLED],
    ['has white space before a colon', raw('content-length : 1024', BLOB), GARBLED],
    ['is packed on the way', raw('transfer-encoding: gzip, chunked', '3\r\nabc\r\n0\r\n\r\n'), /sends 3 bytes/],
    [
      'changes the protocol',
      Buffer.from('HTTP/1.1 101 X\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
      /bad upgrade/,
    ],
    ['is of HTTP/3', Buffer.from('HTTP/3.0 200 OK\r\ncontent-length: 1024\r\n\r\n'), GARBLED],
  ])('that %s is refused, and nothing of it is left for what follows', async (_name, bytes, message) => {
    const { registry, repository, descriptor } = await open();
    registry.faults.add({ path: '/blobs/', raw: bytes, times: 99 });
    const sink = memorySink();
    await expect(downloadBlob({ repository, descriptor, sink })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_(NETWORK|INTEGRITY)$/) as string,
      message: expect.stringMatching(message) as string,
    });
    expect(sink.offset).toBe(0);
    registry.faults.clear();
    await downloadBlob({ repository, descriptor, sink });
    expect(sink.bytes.equals(BLOB)).toBe(true);
  });

  test.each([201, 202, 203, 204, 205, 207, 226, 300, 304, 305, 306, 402, 410, 418, 451, 505, 511])(
    'with status %i is none, and told as it is',
    async (status) => {
      const { registry, repository, descriptor } = await open();
      registry.faults.add({ path: '/blobs/', status, times: 99 });
      const sink = memorySink();
      await expect(downloadBlob({ repository, descriptor, sink })).rejects.toMatchObject({
        code: 'ERR_REGISTRY',
        message: expect.stringContaining(`answered ${status}`) as string,
      });
      expect(sink.offset).toBe(0);
    },
  );

  test('with trailers is as good as without: they say nothing', async () => {
    const { registry, repository, descriptor } = await open();
    const trailers = 'content-length: 5\r\ncontent-encoding: gzip\r\nlocation: /x\r\n\r\n';
    const bytes = raw(
      'transfer-encoding: chunked\r\ntrailer: content-encoding',
      '400\r\n',
      BLOB,
      `\r\n0\r\n${trailers}`,
    );
    registry.faults.add({ path: '/blobs/', raw: bytes });
    const sink = memorySink();
    await downloadBlob({ repository, descriptor, sink });
    expect(sink.bytes.equals(BLOB)).toBe(true);
    expect(registry.log).toHaveLength(1);
  });

  test('with more trailers than a head may have is given up', async () => {
    const { registry, repository, descriptor } = await open();
    const bytes = chunked('400\r\n', BLOB, `\r\n0\r\n${'x: y\r\n'.repeat(100_000)}\r\n`);
    registry.faults.add({ path: '/blobs/', raw: bytes });
    const sink = memorySink();
    await downloadBlob({ repository, descriptor, sink }).catch(() => undefined);
    expect(sink.bytes.equals(BLOB)).toBe(true); // all of it had come
  });

  test('for which a limit of kept connections is set to nonsense', async () => {
    for (const value of ['timeout=0', 'timeout=-1', 'timeout=99999999999999999999', 'x', 'timeout=']) {
      const { registry, repository, descriptor } = await open();
      registry.faults.add({ headers: { connection: 'keep-alive', 'keep-alive': value }, times: 9 });
      for (let round = 0; round < 3; round += 1) {
        const sink = memorySink();
        await downloadBlob({ repository, descriptor, sink });
        expect(sink.bytes.equals(BLOB)).toBe(true);
      }
    }
  });
});

describe('an answer to a question that was not asked', () => {
  const evil = (body: string): string =>
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

  test.each<[string, (first: string) => Fault]>([
    [
      'behind the one before, in one piece',
      (first) => ({ handle: ({ socket }) => void socket.write(`${evil(first)}${evil('{"evil":1}')}`) }),
    ],
    [
      'behind the one before, a moment later',
      (first) => ({
        handle: ({ socket }) =>
          void socket.write(evil(first), () => setImmediate(() => socket.write(evil('{"evil":1}')))),
      }),
    ],
  ])('A6 R10 %s is not taken for the next one', async (_name, fault) => {
    const { registry, repository } = await open();
    registry.faults.add({ path: 'v1', ...fault(MANIFEST) });
    await repository.getManifest('v1');
    await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
    const next = await repository.getManifest('v1').catch(() => undefined);
    if (next !== undefined) expect(Buffer.from(next.bytes).toString()).toBe(MANIFEST);
    expect((await repository.getManifest(sha256(MANIFEST))).bytes.byteLength).toBe(MANIFEST.length);
  });
});
