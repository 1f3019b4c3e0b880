import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { downloadBlob } from '../../src/registry/download-blob.ts';
import type { Timing } from '../../src/registry/timing.ts';
import { RATE_WINDOW, instantTiming, madeContent } from '../support/registry/index.ts';
import type { Setup } from './open-repository.ts';
import { NAME, memorySink, openClient, openRepository, startTestRegistry } from './open-repository.ts';

/** Resolves when the registry has been asked for `part`. */
async function asked({ registry }: Setup, part: string): Promise<void> {
  while (!registry.log.some(({ path }) => (part === '/v2/' ? path === part : path.includes(part))))
    await new Promise(setImmediate);
}

/** Resolves when the registry has no connection any more. */
async function disconnected({ registry }: Setup): Promise<void> {
  while (registry.connections > 0) await new Promise(setImmediate);
}

describe('a signal', () => {
  test.each([
    ['before anything is asked', '', {}],
    ['while the head is awaited', '/manifests/', { path: '/manifests/', connection: 'silence' }],
    ['while the body comes', '/manifests/', { path: '/manifests/', stallAfter: 1 }],
    ['while the scheme is found out', '/v2/', { path: /^\/v2\/$/, connection: 'silence' }],
    ['while a token is awaited', '/token', { path: '/token', connection: 'silence' }],
  ] as const)('R68 ends a request %s', async (_name, part, fault) => {
    const setup = await openRepository({ auth: { kind: 'bearer' } });
    setup.registry.putManifest(NAME, 'v1', Buffer.from('{"layers":[]}'), 'application/json');
    if (part === '/manifests/') await setup.repository.getManifest('v1');
    setup.registry.log.length = 0;
    setup.registry.faults.add(fault);
    if (part === '/v2/') setup.registry.faults.add({ path: 'v1', connection: 'reset' });
    const abort = new AbortController();
    if (part === '') abort.abort(new Error('Ctrl-C'));
    const work = setup.repository.getManifest('v1', { signal: abort.signal });
    work.catch(() => undefined);
    if (part !== '') await asked(setup, part);
    abort.abort(new Error('Ctrl-C'));
    await expect(work).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      message: `Cannot pull "${setup.registry.host}/app/web:v1": it was interrupted`,
      cause: expect.objectContaining({ message: 'Ctrl-C' }) as Error,
    });
  });

  test('R68 ends a download, and leaves what came in the sink', async () => {
    const setup = await openRepository();
    const { registry, repository } = setup;
    const descriptor = registry.putBlob(NAME, Buffer.alloc(1000));
    registry.faults.add({ path: '/blobs/', stallAfter: 600 });
    const abort = new AbortController();
    const sink = memorySink();
    const work = downloadBlob({
      repository,
      descriptor,
      sink,
      signal: abort.signal,
      onProgress: (bytes) => bytes === 600 && abort.abort(),
    });
    await expect(work).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(sink.offset).toBe(600);
    await setup.client.close();
    await disconnected(setup); // in time, or the test runs out of it
  });

  test('leaves no listener behind', async () => {
    const { registry, repository } = await openRepository({ auth: { kind: 'bearer' } });
    registry.putManifest(NAME, 'v1', Buffer.from('{}'), 'application/json');
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    for (let round = 0; round < 3; round += 1) await repository.getManifest('v1', { signal });
    await new Promise(setImmediate);
    expect(listeners).toBe(0);
  });
});

describe('repository()', () => {
  test.each(['..', '.', '_default', 'a/b', '', 'a b', 'user@host'])(
    'refuses the registry %j: it would be a path',
    (registry) => {
      const { client } = openClient({ hostsFolders: ['/nonexistent'] });
      expect(() => client.repository({ registry, repository: 'x' })).toThrow(
        expect.objectContaining({ code: 'ERR_REFERENCE' }) as Error,
      );
    },
  );
});

describe('close()', () => {
  test('R69 ends what is under way, and closes all connections', async () => {
    const setup = await openRepository();
    const { registry, repository, client } = setup;
    const descriptor = registry.putBlob(NAME, Buffer.alloc(1000));
    registry.faults.add({ path: '/blobs/', stallAfter: 10, times: 5 });
    const downloads = Array.from({ length: 5 }, async () =>
      downloadBlob({ repository, descriptor, sink: memorySink() }).catch((error: unknown) => error),
    );
    await asked(setup, '/blobs/');
    await client.close();
    for (const error of await Promise.all(downloads)) expect(error).toMatchObject({ code: 'ERR_NETWORK' });
    await disconnected(setup);
  });
});

describe('timeouts', () => {
  test('R57 gives up on a server that accepts and says nothing', async () => {
    const setup = await openRepository({}, { timeouts: { headersMs: 20 }, retryPolicy: { maxAttempts: 1 } });
    await setup.repository.headManifest('v1');
    setup.registry.faults.add({ path: '/manifests/', connection: 'silence', times: 9 });
    await expect(setup.repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_NETWORK',
      problem: 'timeout',
      message: expect.stringContaining('sent no answer in time') as string,
    });
  });

  test.each<[string, (passed: (ms: number) => void, count: number) => boolean]>([
    ['floods us with', (_passed, count) => count < 1000],
    ['keeps us waiting by', (passed, count) => (passed(7000), count < 10)],
  ])('R57 A15 gives up on a server that %s 103 Early Hints', async (_name, goesOn) => {
    const timing = instantTiming();
    const { registry, repository } = await openRepository({}, { timing, retryPolicy: { maxAttempts: 1 } });
    await repository.headManifest('v1');
    let sent = 0;
    const hint = (socket: Socket): void => {
      sent += 1;
      if (!goesOn((ms) => timing.advance(ms), sent)) socket.end();
      else if (!socket.destroyed)
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', () => setImmediate(hint, socket));
    };
    registry.faults.add({ path: '/manifests/', handle: ({ socket }) => hint(socket) });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      problem: 'timeout',
      message: expect.stringContaining('sent no answer in time') as string,
    });
  });

  test.each([['::1'], ['127.0.0.2'], ['::1', '127.0.0.2']])(
    'R57 goes to the next address when %s does not answer',
    async (...dead) => {
      const registry = await startTestRegistry();
      registry.putManifest(NAME, 'v1', Buffer.from('{}'), 'application/json');
      const port = registry.host.replace(/.*:/, '');
      const found = [...dead, '127.0.0.1'].map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const { client } = openClient({
        lookup: (_name, _options, callback) => callback(null, found),
        insecureRegistries: [`registry.example:${port}`],
        retryPolicy: { maxAttempts: 1 },
      });
      await client.repository(parseReference(`registry.example:${port}/${NAME}`)).getManifest('v1');
      expect(registry.log.at(-1)?.path).toContain('v1');
    },
  );

  test('R57 gives up on a TLS handshake that does not go on', async () => {
    const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { client } = openClient({
      timeouts: { connectMs: 20 },
      retryPolicy: { maxAttempts: 1 },
      lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    const reference = parseReference(`registry.example:${(server.address() as AddressInfo).port}/${NAME}`);
    await expect(client.repository(reference).getManifest('v1')).rejects.toMatchObject({
      problem: 'timeout',
      message: expect.stringContaining('no connection in time') as string,
    });
  });

  test('R56 resumes a body that comes too slowly', async () => {
    const timing = instantTiming();
    const sink = memorySink();
    let endWindow = (): void => undefined;
    const wait: Timing['wait'] = async (milliseconds, signal) => {
      if (milliseconds !== RATE_WINDOW || sink.offset > 0) return timing.wait(milliseconds, signal);
      await new Promise<void>((resolve) => (endWindow = resolve));
      timing.advance(RATE_WINDOW);
    };
    const rate = { windowMs: RATE_WINDOW, bytesPerSecond: 1024 };
    const { registry, repository } = await openRepository({}, { timing: { ...timing, wait }, timeouts: { rate } });
    await repository.headManifest('v1');
    const descriptor = registry.putBlob(NAME, Buffer.alloc(1000, 'x'));
    registry.faults.add({ path: '/blobs/', stallAfter: 600 });
    const retries: number[] = [];
    await downloadBlob({
      repository,
      descriptor,
      sink,
      onProgress: (bytes) => bytes === 600 && setImmediate(() => endWindow()),
      onRetry: (seconds) => retries.push(seconds),
    });
    expect(sink.offset).toBe(1000);
    expect(retries).toEqual([1]);
  });
});

describe('connections', () => {
  test('requests that follow one another take the same', async () => {
    const { registry, repository } = await openRepository({ auth: { kind: 'bearer' } });
    const { digest } = registry.putManifest(NAME, 'v1', Buffer.from('{"layers":[]}'), 'application/json');
    const descriptor = registry.putBlob(NAME, Buffer.alloc(100_000, 'x'));
    await repository.getManifest('v1');
    await repository.getManifest(digest);
    await downloadBlob({ repository, descriptor, sink: memorySink() });
    await repository.headManifest('v1');
    await repository.getManifest('v1');
    expect(registry.log.map(({ path }) => path.replace(/[?:].*/, ''))).toHaveLength(7);
    expect(registry.accepted).toBe(1);
  });

  test('there are no more than allowed', async () => {
    const { registry, repository } = await openRepository({}, { maxConnectionsPerHost: 3 });
    const descriptor = registry.putBlob(NAME, Buffer.alloc(100_000, 'x'));
    const downloads = Array.from({ length: 12 }, async () =>
      downloadBlob({ repository, descriptor, sink: memorySink() }),
    );
    await Promise.all(downloads);
    expect(registry.accepted).toBeLessThanOrEqual(3);
  });
});

describe('memory', () => {
  test('a body waits for its sink: what is read ahead does not grow with the blob', async () => {
    const { registry, repository } = await openRepository();
    const size = 128 * 1024 * 1024; // bytes
    let sent = 0;
    const content = madeContent(0);
    const block = Buffer.alloc(1 << 20, 'x');
    const descriptor = registry.putBlob(NAME, {
      ...content,
      size,
      *read() {
        for (; sent < size; sent += block.byteLength) yield block;
      },
    });
    let received = 0;
    let ahead = 0;
    const sink = {
      offset: 0,
      async write(chunk: Uint8Array) {
        received += chunk.byteLength;
        this.offset = received;
        // Busy for as long as the server gets rid of anything.
        for (let before = -1; before !== sent;) {
          before = sent;
          await turns(20);
        }
        ahead = Math.max(ahead, sent - received);
      },
      reset: async () => undefined,
    };
    await downloadBlob({ repository, descriptor, sink });
    expect(received).toBe(size);
    expect(ahead).toBeLessThan(32 << 20); // both sockets' buffers, ours, and the server's block
  });
});

/** Lets the event loop go round so many times. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}
