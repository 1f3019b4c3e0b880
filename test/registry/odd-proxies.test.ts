import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { NAME, openClient } from './open-repository.ts';

/** A proxy that does as told with each connection, once it has read something; returns its URL and what it read. */
async function startOddProxy(answer: (socket: Socket) => void): Promise<{ url: string; read: string[] }> {
  const read: string[] = [];
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
    socket
      .on('error', () => undefined)
      .once('data', (chunk) => {
        read.push(chunk.toString());
        answer(socket);
      });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { url: `http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}`, read };
}

describe('R67 a proxy that is asked to CONNECT', () => {
  const say = (text: string) => (socket: Socket) => void socket.write(text);
  const end = (text: string) => (socket: Socket) => void socket.end(text);
  test.each<[string, (socket: Socket) => void]>([
    ['closes the connection', (socket) => void socket.end()],
    ['breaks the connection', (socket) => void socket.resetAndDestroy()],
    ['answers with garbage', end('SSH-2.0-x\r\n')],
    ['answers for the registry', end('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')],
    ['answers with a body', end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>')],
    ['redirects', end('HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n')],
    ['wants another login', end('HTTP/1.1 407 X\r\nproxy-authenticate: Negotiate\r\ncontent-length: 0\r\n\r\n')],
    ['answers 401', end('HTTP/1.1 401 X\r\nwww-authenticate: Basic realm="x"\r\ncontent-length: 0\r\n\r\n')],
    ['has 1 MiB of headers', end(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(1 << 20)}\r\n\r\n`)],
    ['lets us through to silence', say('HTTP/1.1 200 OK\r\n\r\n')],
    ['lets us through to nobody', end('HTTP/1.1 200 OK\r\n\r\n')],
    ['says nothing', () => undefined],
  ])(
    'and %s is told of as a failure of the network, without a login; it sees nothing but CONNECT',
    async (_name, answer) => {
      const { url, read } = await startOddProxy(answer);
      const { client } = openClient({
        proxy: { https: url },
        timeouts: { connectMs: 50, headersMs: 50 },
        retryPolicy: { maxAttempts: 2 }, // and no more: undici asks without end a proxy that hangs up
        credentials: async () => ({ kind: 'password', username: 'user', password: 'registry-secret' }),
      });
      const repository = client.repository(parseReference(`registry.example/${NAME}`));
      const error: unknown = await repository.getManifest('v1').catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 'ERR_NETWORK',
        message: expect.stringContaining('registry.example') as string,
      });
      expect((error as Error).message).not.toMatch(/secret|[^ -~]/);
      expect(read.every((text) => text.startsWith('CONNECT registry.example:443 HTTP/1.1\r\n'))).toBe(true);
      expect(read.join()).not.toContain('registry-secret');
      expect(read.length).toBeLessThanOrEqual(2);
    },
  );
});
