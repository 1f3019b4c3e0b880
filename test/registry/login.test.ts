import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import type { RegistryOptions } from '../../src/registry/client.ts';
import { credentialHelpers } from '../../src/registry/credential-helper.ts';
import { credentialsFromFiles } from '../../src/registry/docker-config.ts';
import type { LoginResult } from '../../src/registry/login.ts';
import { login } from '../../src/registry/login.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import type { TestAuth, TestRegistry, TestRegistryOptions } from '../support/registry/index.ts';
import { instantTiming, makeCertificates } from '../support/registry/index.ts';
import { helperFolder, keychain } from './helper-script.ts';
import { OCI_MANIFEST, USERS, bearer } from './open-guarded.ts';
import { INSTANT_RATE, NAME, openClient, startTestRegistry } from './open-repository.ts';

const certificates = makeCertificates();
const BASIC: TestAuth = { kind: 'basic', users: USERS };
const { signal } = new AbortController();

interface Setup {
  registry: TestRegistry;
  /** A config.json that is not there yet, unless it was given. */
  path: string;
  logIn: (password?: string, options?: Partial<Parameters<typeof login>[1]>) => Promise<LoginResult>;
}

async function open(options: TestRegistryOptions, config?: object): Promise<Setup> {
  const registry = await startTestRegistry(options);
  const path = join(await temporaryFolder(), 'config.json');
  if (config !== undefined) writeFileSync(path, JSON.stringify(config));
  const logIn: Setup['logIn'] = async (password = 'pa:ss', more = {}) =>
    login(registry.host, {
      username: 'user',
      password,
      files: [path],
      ...more,
      registry: { timing: instantTiming(), timeouts: INSTANT_RATE, ...more.registry },
    });
  return { registry, path, logIn };
}

/** Requests, with what stands in their Authorization, passwords in the clear. */
function requests({ log }: TestRegistry): string[] {
  return log.map(({ method, path, headers }) => {
    const [scheme, value = ''] = (headers['authorization'] ?? '-').split(' ');
    const shown = scheme === 'Basic' ? `Basic ${Buffer.from(value, 'base64').toString()}` : scheme;
    return `${method} ${path.replace(/\?.*/, '')} ${shown}`;
  });
}

function saved(path: string): unknown {
  return (JSON.parse(readFileSync(path, 'utf8')) as { auths: unknown }).auths;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

describe('login()', () => {
  test('verifies with Basic, then saves', async () => {
    const { registry, path, logIn } = await open({ auth: BASIC });
    expect(await logIn()).toEqual({
      registry: registry.host,
      storedIn: { kind: 'file', path },
      stored: 'password',
      isChecked: true,
    });
    expect(requests(registry)).toEqual(['GET /v2/ -', 'GET /v2/ Basic user:pa:ss']);
    expect(saved(path)).toEqual({ [registry.host]: { auth: encode('user:pa:ss') } });
    expect(statSync(path).mode & 0o7777).toBe(0o600);
  });

  test('verifies with a token, and shows that to the registry', async () => {
    const { registry, path, logIn } = await open({ auth: bearer({ users: USERS, publicRepositories: [] }) });
    expect(await logIn()).toMatchObject({ stored: 'password', isChecked: true });
    expect(requests(registry)).toEqual(['GET /v2/ -', 'GET /token Basic user:pa:ss', 'GET /v2/ Bearer']);
    expect([...new URL(registry.log[1]!.path, registry.url).searchParams]).toEqual([
      ['service', 'test-registry'],
      ['account', 'user'],
      ['client_id', 'mydocker'],
      ['offline_token', 'true'],
    ]);
    expect(saved(path)).toEqual({ [registry.host]: { auth: encode('user:pa:ss') } });
  });

  test('keeps an identity token in place of the password, which the next pull exchanges', async () => {
    const { registry, path, logIn } = await open({
      auth: bearer({
        users: USERS,
        identityTokens: { refresh: 'user' },
        publicRepositories: [],
        answer: (token) => ({ token, refresh_token: 'refresh' }),
      }),
    });
    expect(await logIn()).toMatchObject({ stored: 'identity' });
    expect(saved(path)).toEqual({ [registry.host]: { auth: encode('user:'), identitytoken: 'refresh' } });
    registry.putManifest(NAME, 'v1', Buffer.from('{}'), OCI_MANIFEST);
    const { client } = openClient({ credentials: credentialsFromFiles([path]) });
    await client.repository(parseReference(`${registry.host}/${NAME}`)).getManifest('v1');
    expect(requests(registry).slice(-2)).toEqual(['POST /token -', `GET /v2/${NAME}/manifests/v1 Bearer`]);
  });

  test.each<[string, TestAuth]>([
    ['Basic', BASIC],
    ['a token', bearer({ users: USERS })],
  ])('R39 refuses a wrong password (%s) after one try, and saves nothing', async (_name, auth) => {
    const { registry, path, logIn } = await open({ auth });
    await expect(logIn('wrong')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      status: 401,
      message: `Cannot log in to "${registry.host}": unauthorized: incorrect username or password`,
    });
    expect(requests(registry).filter((line) => line.endsWith('Basic user:wrong'))).toHaveLength(1);
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  test("A18 passes on the registry's own words, cleaned", async () => {
    const { registry, logIn } = await open({ auth: bearer({ users: USERS }) });
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'use a\u001b[2J token' }] });
    registry.faults.add({ path: '/token', status: 403, body });
    await expect(logIn()).rejects.toMatchObject({
      message: `Cannot log in to "${registry.host}": denied: use a\\x1b[2J token`,
    });
  });

  test('R37 does not believe a token that the registry refuses', async () => {
    const { registry, path, logIn } = await open({ auth: bearer({ users: USERS, answer: () => ({ token: 'bad' }) }) });
    await expect(logIn()).rejects.toMatchObject({ code: 'ERR_AUTH' });
    expect(requests(registry)).toEqual(['GET /v2/ -', 'GET /token Basic user:pa:ss', 'GET /v2/ Bearer']);
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  test('R64 says that a registry which asks for nothing has checked nothing', async () => {
    const { registry, logIn } = await open({});
    expect(await logIn('whatever')).toMatchObject({ isChecked: false });
    expect(requests(registry)).toEqual(['GET /v2/ -', 'GET /v2/ Basic user:whatever']);
  });

  test('R64 refuses what is no registry', async () => {
    const { registry, path, logIn } = await open({});
    registry.faults.add({ path: '/v2/', status: 404, times: 9 });
    await expect(logIn()).rejects.toMatchObject({ code: 'ERR_REGISTRY', status: 404 });
    expect(requests(registry)).toEqual(['GET /v2/ -']);
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  test('R54 tries again where the registry is down for a moment', async () => {
    const { registry, logIn } = await open({ auth: bearer({ users: USERS }) });
    registry.faults.add({ path: '/v2/', status: 503 }, { path: '/token', connection: 'reset' });
    expect(await logIn()).toMatchObject({ isChecked: true });
  });

  test('R41 A2 sends the password to no token server on another host, unless it is trusted', async () => {
    const tokens = await startTestRegistry({ auth: bearer({ users: USERS }) });
    const { registry, path, logIn } = await open({ auth: bearer({ realm: `${tokens.url}/token` }) });
    await expect(logIn()).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: `Cannot log in to "${registry.host}": its token server ${tokens.host} is another host, and logins are not sent there`,
    });
    expect(tokens.log).toEqual([]);
    expect(() => statSync(path)).toThrow('ENOENT');
    const trusting: RegistryOptions = { tokenServers: { [registry.host]: tokens.url } };
    expect(await logIn('pa:ss', { registry: trusting })).toMatchObject({ isChecked: true });
  });

  test.each(['http://169.254.169.254/', 'http://0.0.0.0/', 'file:///etc/passwd', 'token'])(
    'R42 A2 asks no token server at %s',
    async (realm) => {
      const { registry, logIn } = await open({ auth: bearer({ realm }) });
      await expect(logIn()).rejects.toMatchObject({ code: 'ERR_AUTH' });
      expect(requests(registry)).toEqual(['GET /v2/ -']);
    },
  );

  test('R43 takes no token that a redirect led to: nobody has looked at the password', async () => {
    const tokens = await startTestRegistry({ auth: bearer() });
    const { registry, path, logIn } = await open({ auth: bearer({ users: USERS }) });
    registry.faults.add({ path: '/token', status: 307, headers: { location: `${tokens.url}/token` } });
    await expect(logIn('wrong')).rejects.toMatchObject({ code: 'ERR_AUTH' });
    expect(requests(tokens)).toEqual(['GET /token -']);
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  test('R46 takes no answer of another host for a yes', async () => {
    const other = await startTestRegistry();
    const { registry, path, logIn } = await open({ auth: BASIC });
    registry.faults.add({ path: '/v2/', after: 1, status: 307, headers: { location: `${other.url}/v2/` } });
    await expect(logIn('wrong')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: `Cannot log in to "${registry.host}": it refers to ${other.url}, which is another host`,
    });
    expect(requests(other)).toEqual(['GET /v2/ -']);
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  test.skipIf(certificates === undefined)(
    'R60 sends nothing to a registry that nobody vouches for, unless told to',
    async () => {
      const { registry, logIn } = await open({ auth: BASIC, tls: certificates!.good });
      await expect(logIn()).rejects.toMatchObject({ code: 'ERR_NETWORK', problem: 'certificate' });
      expect(registry.log).toEqual([]);
      expect(await logIn('pa:ss', { registry: { insecureRegistries: [registry.host] } })).toMatchObject({
        isChecked: true,
      });
    },
  );

  test('asks for no stored login, and replaces it', async () => {
    const { registry, path, logIn } = await open({ auth: BASIC });
    writeFileSync(path, JSON.stringify({ auths: { [`http://${registry.host}/v1/`]: { auth: encode('old:old') } } }));
    const asked = async (): Promise<never> => Promise.reject(new Error('asked'));
    await logIn('pa:ss', { registry: { credentials: asked } });
    expect(saved(path)).toEqual({ [registry.host]: { auth: encode('user:pa:ss') } });
  });

  test('replaces a login where the next pull would find it, else saves in the last file', async () => {
    const { registry, path, logIn } = await open({ auth: BASIC });
    const other = join(await temporaryFolder(), 'auth.json');
    await logIn('pa:ss', { files: [other, path] });
    expect(saved(path)).toHaveProperty([registry.host]);
    writeFileSync(other, JSON.stringify({ auths: { [registry.host]: { auth: encode('old:old') } } }));
    expect(await logIn('pa:ss', { files: [other, path] })).toMatchObject({ storedIn: { path: other } });
    expect(saved(other)).toEqual({ [registry.host]: { auth: encode('user:pa:ss') } });
  });

  test.each(['credsStore', 'credHelpers'])('gives the login to the helper that %s names', async (setting) => {
    const { registry, path, logIn } = await open({ auth: BASIC });
    const named = setting === 'credsStore' ? 'keep' : { [registry.host]: 'keep' };
    writeFileSync(path, JSON.stringify({ [setting]: named, auths: { [registry.host]: { auth: encode('old:old') } } }));
    const { env, calls } = await keychain();
    const helpers = credentialHelpers({ env });
    await expect(logIn('wrong', { helpers })).rejects.toMatchObject({ code: 'ERR_AUTH' });
    await expect(calls()).rejects.toThrow('ENOENT'); // nobody asked it
    expect(await logIn('pa:ss', { helpers })).toMatchObject({ storedIn: { kind: 'helper', name: 'keep' } });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ [setting]: named, auths: { [registry.host]: {} } });
    expect(await calls()).toEqual([`store {"ServerURL":"${registry.host}","Username":"user","Secret":"pa:ss"}`]);
    expect(await credentialsFromFiles([path], helpers)(registry.host, signal)).toMatchObject({ password: 'pa:ss' });
  });

  test.each([
    ['is not installed', 'ERR_HOST', async () => temporaryFolder()],
    ['fails', 'ERR_AUTH', async () => helperFolder('x', 'exit 1')],
  ])('saves nothing in the file where the helper %s', async (_name, code, folder) => {
    const { path, logIn } = await open({ auth: BASIC }, { credsStore: 'x' });
    await expect(
      logIn('pa:ss', { helpers: credentialHelpers({ env: { PATH: await folder() } }) }),
    ).rejects.toMatchObject({ code });
    expect(readFileSync(path, 'utf8')).toBe('{"credsStore":"x"}');
  });

  test('saves nothing in the file where it names a helper, and none was given', async () => {
    const { path, logIn } = await open({ auth: BASIC }, { credsStore: 'x' });
    await expect(logIn()).rejects.toMatchObject({ code: 'ERR_HOST' });
    expect(readFileSync(path, 'utf8')).toBe('{"credsStore":"x"}');
  });

  test('sends nothing where the file cannot be understood', async () => {
    const { registry, path, logIn } = await open({ auth: BASIC });
    writeFileSync(path, '{');
    await expect(logIn()).rejects.toMatchObject({ code: 'ERR_AUTH' });
    expect(registry.log).toEqual([]);
  });

  test.each([
    ['', 'pass'],
    ['us:er', 'pass'],
    ['user', ''],
  ])('refuses the name %j with the password %j', async (username, password) => {
    const { registry, logIn } = await open({ auth: BASIC });
    await expect(logIn(password, { username })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(registry.log).toEqual([]);
  });

  test('R68 stops when the caller gives up', async () => {
    const { registry, path, logIn } = await open({ auth: BASIC });
    const abort = new AbortController();
    registry.faults.add({ path: '/v2/', handle: () => abort.abort() });
    await expect(logIn('pa:ss', { signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(() => statSync(path)).toThrow('ENOENT');
  });
});
