import { once } from 'node:events';
import type { AddressInfo, LookupFunction } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { downloadBlob } from '../../src/registry/download-blob.ts';
import type { RegistryOptions } from '../../src/registry/client.ts';
import type { RemoteRepository } from '../../src/registry/repository.ts';
import type { Fault, TestProxy, TestRegistry } from '../support/registry/index.ts';
import { makeCertificates, startProxy } from '../support/registry/index.ts';
import { NAME, memorySink, openClient, startTestRegistry } from './open-repository.ts';

const HOST = 'registry.example';
const INSIDE = 'inside.example';
const certificates = makeCertificates([HOST, INSIDE]);
const LOGIN = `Basic ${Buffer.from('us er:pass').toString('base64')}`;
const credentials: RegistryOptions['credentials'] = async () => ({
  kind: 'password',
  username: 'user',
  password: 'pass',
});

interface Proxied {
  proxy: TestProxy;
  registry: TestRegistry;
  open: (options?: RegistryOptions) => RemoteRepository;
}

/** A registry that is reached by a proxy only, under the name of a public host. */
async function setup(options: { tls?: boolean; authorization?: string } = {}): Promise<Proxied> {
  const registry = await startTestRegistry({
    auth: { kind: 'basic', users: { user: 'pass' } },
    ...(options.tls === true && { tls: certificates!.good }),
  });
  registry.putManifest(NAME, 'v1', Buffer.from('{"layers":[]}'), 'application/json');
  const { tls: _tls, ...rest } = options;
  const proxy = await startProxy({
    routes: { [`${HOST}:443`]: registry.host, [`${HOST}:80`]: registry.host },
    ...rest,
  });
  onTestFinished(async () => proxy.close());
  const url = proxy.url.replace('//', options.authorization === undefined ? '//' : '//us%20er:pass@');
  const defaults: RegistryOptions = {
    proxy: { http: url, https: url },
    ...(certificates !== undefined && { ca: [certificates.ca] }),
    credentials,
  };
  const open = (more: RegistryOptions = {}): RemoteRepository =>
    openClient({ ...defaults, ...more }).client.repository(parseReference(`${HOST}/${NAME}`));
  return { proxy, registry, open };
}

const resolveTo = (address: string): LookupFunction => {
  return (_name, { all }, callback) =>
    all === true ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4);
};

describe('a proxy', () => {
  test.skipIf(certificates === undefined)('R67 is asked to CONNECT for https, and sees no more', async () => {
    const { proxy, registry, open } = await setup({ tls: true, authorization: LOGIN });
    const repository = open();
    await repository.getManifest('v1');
    expect(new Set(proxy.log.map(({ line }) => line))).toEqual(new Set([`CONNECT ${HOST}:443`]));
    expect(registry.log.map(({ headers }) => headers['proxy-authorization'])).toEqual([undefined, undefined]);
    expect(registry.log.at(-1)?.headers['host']).toBe(HOST);
  });

  test('R67 is asked for absolute URLs by plain HTTP', async () => {
    const { proxy, registry, open } = await setup({ authorization: LOGIN });
    await open({ insecureRegistries: [HOST] }).getManifest('v1');
    expect(proxy.log.map(({ line }) => line)).toContain(`GET http://${HOST}/v2/${NAME}/manifests/v1`);
    expect(registry.log.every(({ headers }) => headers['proxy-authorization'] === undefined)).toBe(true);
    expect(registry.log.at(-1)?.headers['host']).toBe(HOST);
  });

  test.skipIf(certificates === undefined)('R67 its refusal is told, not repeated', async () => {
    const { proxy, registry } = await setup({ tls: true, authorization: LOGIN });
    const { client } = openClient({ proxy: { https: proxy.url } });
    await expect(client.repository(parseReference(`${HOST}/${NAME}`)).getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_NETWORK',
      problem: 'proxy',
      message: `Cannot pull "${HOST}/app/web:v1": ${HOST} cannot be reached: the proxy answered 407`,
    });
    expect(registry.log).toEqual([]);
    expect(proxy.log).toHaveLength(1);
  });

  test('R67 its 502 is tried again', async () => {
    const { proxy } = await setup();
    const { client, timing } = openClient({ proxy: { https: proxy.url } });
    const repository = client.repository(parseReference(`other.example/${NAME}`));
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ problem: 'proxy' });
    expect(timing.waits).toHaveLength(4);
  });

  test('R57 R67 its silence is a timeout', async () => {
    const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { client } = openClient({
      proxy: { https: `127.0.0.1:${(server.address() as AddressInfo).port}` },
      timeouts: { connectMs: 20 },
      retryPolicy: { maxAttempts: 1 },
    });
    const repository = client.repository(parseReference(`${HOST}/${NAME}`));
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ problem: 'timeout' });
  });

  test('R67 is not asked for what NO_PROXY names', async () => {
    const { proxy, open } = await setup();
    const lookup: LookupFunction = (_name, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }), []);
    const repository = open({ proxy: { https: proxy.url, noProxy: '.example' }, lookup });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      problem: 'name',
      message: expect.stringContaining(`${HOST} cannot be found: no such host`) as string,
    });
    expect(proxy.log).toEqual([]);
  });
});

describe.skipIf(certificates === undefined)('a registry on the Internet', () => {
  const challenge = (realm: string): Fault => ({
    path: 'v1',
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${realm}"` },
  });

  test.each([
    'https://127.0.0.1:5000/token',
    'https://10.0.0.1/token',
    'https://192.168.1.1/token',
    'https://[::1]/token',
    'https://[::ffff:10.0.0.1]/token',
    'https://2130706433/token', // 127.0.0.1
    'https://0x7f.1/token',
    'http://auth.example/token',
    'https://100.64.0.1/token',
  ])('R42 A2 gets no token request sent to %s', async (realm) => {
    const { proxy, registry, open } = await setup({ tls: true });
    registry.faults.add(challenge(realm));
    await expect(open().getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: expect.stringMatching(
        /which is refused: https?:\/\/.* (lies on a private network|gives up https)/,
      ) as string,
    });
    expect(proxy.log).toHaveLength(1);
  });

  test.each(['10.0.0.1', '127.0.0.1', '169.254.169.254'])(
    'R42 A2 gets no token request sent to a name that means %s',
    async (address) => {
      const { proxy, registry, open } = await setup({ tls: true });
      registry.faults.add(challenge(`https://${INSIDE}/token`));
      const repository = open({ proxy: { https: proxy.url, noProxy: INSIDE }, lookup: resolveTo(address) });
      await expect(repository.getManifest('v1')).rejects.toMatchObject({
        code: 'ERR_NETWORK',
        problem: 'forbidden',
        message: expect.stringContaining(`${INSIDE} is not asked`) as string,
      });
    },
  );

  test('R47 A4 gets no blob request sent inside, by address or by name, nor one without TLS', async () => {
    const { proxy, registry, open } = await setup({ tls: true });
    const repository = open({ proxy: { https: proxy.url, noProxy: INSIDE }, lookup: resolveTo('10.0.0.1') });
    const descriptor = registry.putBlob(NAME, Buffer.from('x'));
    const spellings = [
      '10.0.0.1',
      '[::ffff:10.0.0.1]',
      '[::ffff:0:a00:1]',
      '0x0a000001',
      '012.0.0.1',
      '10.1',
      '10.0.0.1.',
      '%31%30.0.0.1',
      '0',
      '[::]',
    ];
    const others = ['https://localhost:1/', `https://${INSIDE}/`, `http://${HOST}/`, '//10.0.0.1'];
    for (const location of [...spellings.map((host) => `https://${host}/`), ...others]) {
      registry.faults.add({ path: '/blobs/', status: 307, headers: { location } });
      await expect(downloadBlob({ repository, descriptor, sink: memorySink() })).rejects.toMatchObject({
        problem: 'forbidden',
      });
    }
  });
});

describe('a registry inside', () => {
  test('may name a token server inside that is another host', async () => {
    const tokens = await startTestRegistry({ auth: { kind: 'bearer' } });
    const registry = await startTestRegistry({ auth: { kind: 'bearer', realm: `${tokens.url}/token` } });
    registry.putManifest(NAME, 'v1', Buffer.from('{}'), 'application/json');
    const { client } = openClient();
    await client.repository(parseReference(`${registry.host}/${NAME}`)).getManifest('v1');
    expect(tokens.log).toHaveLength(1);
  });
});
