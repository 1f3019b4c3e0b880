import type { AddressInfo, Server } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { downloadBlob } from '../../src/registry/download-blob.ts';
import type { RegistryOptions } from '../../src/registry/client.ts';
import type { RemoteRepository } from '../../src/registry/repository.ts';
import type { ServerCertificate, TestRegistry } from '../support/registry/index.ts';
import { makeCertificates, startRegistry } from '../support/registry/index.ts';
import { NAME, memorySink, openClient, startTestRegistry } from './open-repository.ts';

const made = makeCertificates();
const certificates = made!;
const NAMED = 'registry.example'; // resolved to this machine: a host that is not loopback by name

async function tlsRegistry(certificate: ServerCertificate): Promise<TestRegistry> {
  const registry = await startTestRegistry({ tls: certificate });
  registry.putManifest(NAME, 'v1', Buffer.from('{"layers":[]}'), 'application/json');
  return registry;
}

function open(host: string, options: RegistryOptions = {}): RemoteRepository {
  const lookup: RegistryOptions['lookup'] = (_name, { all }, callback) =>
    all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);
  return openClient({ lookup, ...options }).client.repository(parseReference(`${host}/${NAME}`));
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe.skipIf(made === undefined)('findOrigin() (needs openssl)', () => {
  test('pulls over TLS with an authority that is given', async () => {
    const registry = await tlsRegistry(certificates.good);
    expect((await open(registry.host, { ca: [certificates.ca] }).getManifest('v1')).descriptor.size).toBe(13);
  });

  test('finds a TLS registry on the loopback, and a plain one without a request more', async () => {
    const registry = await tlsRegistry(certificates.good);
    await open(`localhost:${registry.host.split(':')[1]}`, { ca: async () => [certificates.ca] }).getManifest('v1');
    const plain = await startTestRegistry();
    plain.putManifest(NAME, 'v1', Buffer.from('{}'), 'application/json');
    const repository = open(plain.host);
    await repository.getManifest('v1');
    await repository.getManifest('v1');
    expect(plain.log.map(({ path }) => path)).toEqual(['/v2/app/web/manifests/v1', '/v2/app/web/manifests/v1']);
  });

  test.each<[string, () => ServerCertificate, boolean, RegExp]>([
    ['for another host', () => certificates.wrongHost, true, /certificate that is not accepted \(.*altnames/],
    [
      'that has expired',
      () => certificates.expired,
      true,
      /certificate that is not accepted \(certificate has expired\)/,
    ],
    [
      'of an unknown authority',
      () => certificates.good,
      false,
      /certificate that is not accepted \(unable to verify the first certificate\)/,
    ],
  ])(
    'R60 refuses a certificate %s, without a second try and without plain HTTP',
    async (_name, certificate, isTrusted, message) => {
      const registry = await tlsRegistry(certificate());
      for (const host of [registry.host, `${NAMED}:${registry.host.split(':')[1]}`]) {
        const repository = open(host, isTrusted ? { ca: [certificates.ca] } : {});
        await expect(repository.getManifest('v1')).rejects.toMatchObject({
          code: 'ERR_NETWORK',
          problem: 'certificate',
          message: expect.stringMatching(message) as string,
          hint: expect.stringContaining('SSL_CERT_FILE') as string,
        });
      }
      expect(registry.log).toEqual([]);
    },
  );

  test('accepts any certificate of a registry that is listed as insecure, as docker does', async () => {
    const registry = await tlsRegistry(certificates.expired);
    const host = `${NAMED}:${registry.host.split(':')[1]}`;
    await open(host, { insecureRegistries: [host] }).getManifest('v1');
  });

  test('R60 verifies the certificates of other hosts all the same', async () => {
    const registry = await tlsRegistry(certificates.expired);
    const storage = await tlsRegistry(certificates.expired);
    const host = `${NAMED}:${registry.host.split(':')[1]}`;
    const descriptor = registry.putBlob(NAME, Buffer.from('x'));
    registry.faults.add({ path: '/blobs/', status: 307, headers: { location: storage.url } });
    const repository = open(host, { insecureRegistries: [host], ca: [certificates.ca] });
    await expect(downloadBlob({ repository, descriptor, sink: memorySink() })).rejects.toMatchObject({
      problem: 'certificate',
    });
    expect(storage.log).toEqual([]);
  });

  test('R61 A14 does not speak plain HTTP to a host that is not listed', async () => {
    const registry = await startTestRegistry();
    const host = `${NAMED}:${registry.host.split(':')[1]}`;
    await expect(open(host).getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_NETWORK',
      problem: 'tls',
      hint: expect.stringContaining('--insecure-registry') as string,
    });
    expect(registry.log).toEqual([]);
    registry.putManifest(NAME, 'v1', Buffer.from('{}'), 'application/json');
    await open(host, { insecureRegistries: [host] }).getManifest('v1');
  });

  test('R60 refuses TLS 1.0', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const port = await listen(createTlsServer({ ...certificates.good, ...old }).on('tlsClientError', () => undefined));
    await expect(open(`${NAMED}:${port}`, { ca: [certificates.ca] }).getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_NETWORK',
      problem: 'tls',
    });
  });

  test('R61 understands the answer of a TLS server to plain HTTP', async () => {
    // Go's: 400 in the clear. Any other bytes are a broken connection, and are told to be so.
    const registry = await tlsRegistry(certificates.good);
    const [, port] = registry.host.split(':');
    const front = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (first) => {
        if (first[0] !== 22) {
          socket.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n');
          return;
        }
        const onward = createConnection(Number(port), '127.0.0.1');
        onward.on('error', () => socket.destroy()).on('close', () => socket.destroy());
        socket.on('close', () => onward.destroy());
        onward.write(first);
        socket.pipe(onward).pipe(socket);
      });
    });
    const repository = open(`127.0.0.1:${await listen(front)}`, { ca: [certificates.ca] });
    expect((await repository.getManifest('v1')).descriptor.size).toBe(13);
  });

  test.each([400, 404, 401, 500])('R64 a plain registry may answer %i to GET /v2/', async (status) => {
    const registry = await startTestRegistry();
    registry.putManifest(NAME, 'v1', Buffer.from('{}'), 'application/json');
    registry.faults.add({ path: /^\/v2\/$/, status }, { path: 'v1', connection: 'reset' });
    await open(registry.host).getManifest('v1');
    expect(registry.log.map(({ path }) => path)).toContain('/v2/');
  });

  test('asks no more than once what a plain registry answers with 400', async () => {
    const registry = await startTestRegistry();
    registry.faults.add({ path: 'v1', status: 400, times: 2 });
    const repository = open(registry.host);
    for (let round = 0; round < 2; round += 1) {
      await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_REGISTRY', status: 400 });
    }
    expect(registry.log.map(({ path }) => path)).toEqual([
      '/v2/app/web/manifests/v1',
      '/v2/',
      '/v2/app/web/manifests/v1',
    ]);
  });

  test('says what is wrong with the certificate of a TLS registry on the loopback', async () => {
    const registry = await tlsRegistry(certificates.expired);
    await expect(open(registry.host).getManifest('v1')).rejects.toMatchObject({ problem: 'certificate' });
  });

  test('R57 says that nobody listens, after one try', async () => {
    const registry = await startRegistry();
    await registry.close();
    await expect(open(registry.host).getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_NETWORK',
      message: `Cannot pull "${registry.host}/app/web:v1": ${registry.host} cannot be reached: connection refused`,
    });
  });
});
