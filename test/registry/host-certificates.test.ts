import { X509Certificate } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import type { RegistryOptions } from '../../src/registry/client.ts';
import { login } from '../../src/registry/login.ts';
import type { LoginResult } from '../../src/registry/login.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import type { TestRegistry, TestRegistryOptions } from '../support/registry/index.ts';
import { makeCertificates } from '../support/registry/index.ts';
import { filesIn, putEverywhere } from './open-mirrored.ts';
import { NAME, openClient, startTestRegistry } from './open-repository.ts';

const HOST = 'registry.example'; // this machine, but not loopback by name
const made = makeCertificates([HOST]);
const certificates = made!;
const toThisMachine: LookupFunction = (_name, { all }, callback) =>
  all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

interface Secured {
  registry: TestRegistry;
  /** `registry.example:PORT` */
  name: string;
  pull: (options?: RegistryOptions) => Promise<unknown>;
}

type Tls = NonNullable<TestRegistryOptions['tls']>;

async function start(tls: Tls = certificates.good): Promise<Secured> {
  const registry = await startTestRegistry({ tls });
  putEverywhere([registry]);
  const name = `${HOST}:${registry.host.replace(/.*:/, '')}`;
  const pull = async (options: RegistryOptions = {}): Promise<unknown> =>
    openClient({ lookup: toThisMachine, ...options })
      .client.repository(parseReference(`${name}/${NAME}`))
      .getManifest('v1');
  return { registry, name, pull };
}

const serial = (pem: string): string => new X509Certificate(pem).serialNumber;

describe.skipIf(made === undefined)('certificates of hosts (need openssl)', () => {
  // The authority signs anything: what is for another host as a server is a client's as well.
  const client = { [`client.cert`]: made?.wrongHost.cert ?? '', [`client.key`]: made?.wrongHost.key ?? '' };
  const wantsClients = (isRequired: boolean): Tls => ({
    ...certificates.good,
    clients: { ca: certificates.ca, isRequired },
  });

  test('R60 a registry of an own authority is trusted by the ca of a hosts.toml, and by a .crt in either layout', async () => {
    const { name, pull } = await start();
    await expect(pull()).rejects.toMatchObject({ problem: 'certificate' });
    const toml = await filesIn({ [`${name}/hosts.toml`]: 'ca = ["own.pem"]', [`${name}/own.pem`]: certificates.ca });
    const crt = await filesIn({ [`${name}/any name.crt`]: certificates.ca });
    const withColonless = await filesIn({ [`${name.replace(':', '_')}_/ca.crt`]: certificates.ca });
    await pull({ hostsFolders: [toml] });
    await pull({ hostsFolders: [crt] });
    await pull({ hostsFolders: [withColonless] });
    await pull({ certificateFolders: ['/nonexistent', crt] });
    await pull({
      hostsFolders: [await filesIn({ [`${name}/hosts.toml`]: '# nothing said' })],
      certificateFolders: [crt],
    });
    for (const folders of [
      { certificateFolders: [toml] },
      { hostsFolders: [await filesIn({ 'other/ca.crt': certificates.ca })] },
    ]) {
      await expect(pull(folders)).rejects.toMatchObject({ problem: 'certificate' });
    }
  });

  test('R60 a login goes to the registry itself, trusted by the ca of its hosts.toml, and to no mirror', async () => {
    const { registry, name } = await start();
    const mirror = await startTestRegistry({});
    const toml = `server = "https://${name}"\nca = ["own.pem"]\n[host."http://${mirror.host}"]\n`;
    const folder = await filesIn({ [`${name}/hosts.toml`]: toml, [`${name}/own.pem`]: certificates.ca });
    const files = [join(await temporaryFolder(), 'config.json')] as const;
    const logIn = async (hostsFolders: string[]): Promise<LoginResult> =>
      login(name, { username: 'user', password: 'pass', files, registry: { lookup: toThisMachine, hostsFolders } });
    await expect(logIn([])).rejects.toMatchObject({ code: 'ERR_NETWORK' });
    expect(await logIn([folder])).toMatchObject({ registry: name });
    expect(registry.log.length).toBeGreaterThan(0);
    expect(mirror.log).toEqual([]);
  });

  test('a ca comes to the usual ones and to those of SSL_CERT_FILE, and takes none away', async () => {
    const { name, pull } = await start();
    const other = makeCertificates()?.ca ?? '';
    const hostsFolders = [await filesIn({ [`${name}/ca.crt`]: other })];
    await pull({ hostsFolders, ca: [certificates.ca] });
  });

  test.each([
    [
      "a pair in docker's folder",
      (name: string) => ({
        [`${name}/client.cert`]: client['client.cert'],
        [`${name}/client.key`]: client['client.key'],
      }),
    ],
    [
      'a pair of a hosts.toml',
      (name: string) => ({
        [`${name}/hosts.toml`]: 'ca="ca.pem"\nclient=[["../client.cert","../client.key"]]',
        ...client,
      }),
    ],
    [
      'one file of a hosts.toml',
      (name: string) => ({
        [`${name}/hosts.toml`]: 'ca="ca.pem"\nclient="both.pem"',
        [`${name}/both.pem`]: `${client['client.cert']}${client['client.key']}`,
      }),
    ],
  ])('mutual TLS with %s', async (_name, files) => {
    const { registry, name, pull } = await start(wantsClients(true));
    const folder = await filesIn({
      [`${name}/ca.crt`]: certificates.ca,
      [`${name}/ca.pem`]: certificates.ca,
      ...files(name),
    });
    await pull({ hostsFolders: [folder] });
    expect(registry.log.map((request) => request.clientCertificate)).toEqual([serial(certificates.wrongHost.cert)]);
  });

  test('A3 R46 what we show of ourselves is for its host: neither a redirect nor a token server nor another mirror sees it', async () => {
    const storage = await start(wantsClients(false));
    const { registry, name, pull } = await start(wantsClients(false));
    const files = { [`${name}/client.cert`]: client['client.cert'], [`${name}/client.key`]: client['client.key'] };
    const hostsFolders = [await filesIn({ [`${name}/ca.crt`]: certificates.ca, ...files })];
    registry.faults.add(
      { status: 401, headers: { 'www-authenticate': `Bearer realm="${storage.registry.url}/token"` } },
      { status: 307, headers: { location: `${storage.registry.url}/v2/${NAME}/manifests/v1` } },
    );
    storage.registry.faults.add({ path: '/token', status: 200, body: '{"token":"t"}' });
    await pull({ hostsFolders });
    expect(storage.registry.log.map((request) => request.clientCertificate)).toEqual([undefined, undefined]);
    expect(registry.log.map((request) => request.clientCertificate)).toEqual([
      serial(client['client.cert']),
      serial(client['client.cert']),
    ]);
  });

  test('A14 skip_verify is for its host alone, and no leave to go without TLS', async () => {
    const bad = await start(certificates.wrongHost);
    const { registry, name, pull } = await start(certificates.expired);
    const hostsFolders = [await filesIn({ [`${name}/hosts.toml`]: 'skip_verify = true' })];
    await pull({ hostsFolders });
    registry.faults.add({ status: 307, headers: { location: `${bad.registry.url}/x` } });
    await expect(pull({ hostsFolders })).rejects.toMatchObject({ problem: 'certificate' });
    expect(bad.registry.log).toEqual([]);
    const plain = await startTestRegistry();
    const port = plain.host.replace(/.*:/, '');
    const plainFolders = [await filesIn({ [`${HOST}:${port}/hosts.toml`]: 'skip_verify = true' })];
    const { client: opened } = openClient({ lookup: toThisMachine, hostsFolders: plainFolders });
    const repository = opened.repository(parseReference(`${HOST}:${port}/${NAME}`));
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_NETWORK', problem: 'tls' });
    expect(plain.log).toEqual([]);
  });

  test('A14 a mirror by http:// is asked without TLS because the file says so, one by https:// never', async () => {
    const { name, registry } = await start();
    const plain = await startTestRegistry();
    putEverywhere([plain]);
    const port = plain.host.replace(/.*:/, '');
    for (const [scheme, count] of [
      ['https', 0],
      ['http', 1],
    ] as const) {
      const toml = `ca = "ca.pem"\n[host."${scheme}://mirror.example:${port}"]`;
      const hostsFolders = [await filesIn({ [`${name}/hosts.toml`]: toml, [`${name}/ca.pem`]: certificates.ca })];
      const { client: opened } = openClient({ lookup: toThisMachine, hostsFolders });
      await opened.repository(parseReference(`${name}/${NAME}`)).getManifest('v1');
      expect(plain.log).toHaveLength(count);
    }
    expect(registry.log).toHaveLength(1);
  });

  test('an insecure registry may be a mirror, and then counts as one', async () => {
    const { name, registry } = await start(certificates.expired);
    const upstream = await startTestRegistry();
    const hostsFolders = [await filesIn({ [`${upstream.host}/hosts.toml`]: `server = "https://${name}"` })];
    const { client: opened } = openClient({ lookup: toThisMachine, hostsFolders, insecureRegistries: [name] });
    await opened.repository(parseReference(`${upstream.host}/${NAME}`)).getManifest('v1');
    expect(registry.log).toHaveLength(1);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    [
      'a certificate without its key',
      { 'a.cert': client['client.cert'] },
      /^Cannot use ".*a\.cert": there is no "a\.key"$/,
    ],
    [
      'a key without its certificate',
      { 'a.key': client['client.key'] },
      /^Cannot use ".*a\.key": there is no "a\.cert"$/,
    ],
    ['a file that is no PEM', { 'a.crt': 'text' }, /^Cannot use the certificate ".*a\.crt": it is not PEM$/],
    [
      'a file that is not there',
      { 'hosts.toml': 'ca = "none.pem"' },
      /^Cannot read the certificate ".*none\.pem": ENOENT$/,
    ],
    [
      'a key of another certificate',
      { 'a.cert': client['client.cert'], 'a.key': made?.good.key ?? '' },
      /^Cannot use the certificate ".*a\.cert": .*key values mismatch/,
    ],
    [
      'a broken certificate',
      { 'a.crt': '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----' },
      /^Cannot use the certificate ".*a\.crt": /,
    ],
  ])('names %s, at a mirror as well', async (_name, files, message) => {
    const { registry, name, pull } = await start();
    const hostsFolders = [
      await filesIn(Object.fromEntries(Object.entries(files).map(([file, text]) => [`${name}/${file}`, text]))),
    ];
    await expect(pull({ hostsFolders })).rejects.toMatchObject({
      code: 'ERR_HOST',
      message: expect.stringMatching(message) as string,
    });
    expect(registry.log).toEqual([]);
  });
});
