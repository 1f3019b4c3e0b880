import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { credentialHelpers } from '../../src/registry/credential-helper.ts';
import { logout } from '../../src/registry/logout.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { helperFolder, keychain } from './helper-script.ts';

const LOGIN = { auth: Buffer.from('user:pass').toString('base64') };
const NOT_INSTALLED = credentialHelpers({ env: {} });

async function configFile(config: object): Promise<string> {
  const path = join(await temporaryFolder(), 'config.json');
  writeFileSync(path, JSON.stringify(config));
  return path;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

describe('logout()', () => {
  test('removes every spelling of the registry from all files, and nothing else', async () => {
    const keys = ['a.example', 'https://a.example/v2/', 'http://A.example', 'a.example/org', 'b.example'];
    const config = { auths: Object.fromEntries(keys.map((key) => [key, LOGIN])), psFormat: 'x' };
    const files = [await configFile(config), '/nonexistent/auth.json', await configFile(config)] as const;
    expect(await logout('https://a.example', { files })).toEqual({ registry: 'a.example', wasLoggedIn: true });
    for (const path of [files[0], files[2]]) {
      expect(read(path)).toEqual({ auths: { 'a.example/org': LOGIN, 'b.example': LOGIN }, psFormat: 'x' });
    }
    expect(await logout('a.example', { files })).toEqual({ registry: 'a.example', wasLoggedIn: false });
  });

  test('means Docker Hub where no server is named', async () => {
    const path = await configFile({ auths: { 'https://index.docker.io/v1/': LOGIN, 'docker.io': LOGIN } });
    expect(await logout(undefined, { files: [path] })).toEqual({ registry: 'docker.io', wasLoggedIn: true });
    expect(read(path)).toEqual({ auths: {} });
  });

  test('makes no file', async () => {
    const path = join(await temporaryFolder(), 'new/config.json');
    expect(await logout('a.example', { files: [path] })).toMatchObject({ wasLoggedIn: false });
    expect(existsSync(join(path, '..'))).toBe(false);
  });

  test('erases the login from the helper', async () => {
    const { env, calls } = await keychain();
    const helpers = credentialHelpers({ env });
    const path = await configFile({ credsStore: 'keep', auths: { 'a.example': {} } });
    const call = { name: 'keep', setting: 'credsStore', server: 'a.example', path } as const;
    await helpers.store(call, { kind: 'identity', token: 't' });
    expect(await logout('a.example', { files: [path], helpers })).toMatchObject({ wasLoggedIn: true });
    expect((await calls()).at(-1)).toBe('erase a.example');
    expect(read(path)).toEqual({ credsStore: 'keep', auths: {} });
    expect(await logout('a.example', { files: [path], helpers })).toMatchObject({ wasLoggedIn: false });
  });

  test('says Docker Hub to a helper as docker does', async () => {
    const { env, calls } = await keychain();
    await logout('docker.io', {
      files: [await configFile({ credsStore: 'keep' })],
      helpers: credentialHelpers({ env }),
    });
    expect(await calls()).toEqual(['erase https://index.docker.io/v1/']);
  });

  test('fails where a helper cannot erase, and remembers that there is something to erase', async () => {
    const PATH = await helperFolder('x', 'echo locked; exit 1');
    const path = await configFile({ credsStore: 'x', auths: { 'a.example': {}, 'https://a.example': LOGIN } });
    await expect(
      logout('a.example', { files: [path], helpers: credentialHelpers({ env: { PATH } }) }),
    ).rejects.toMatchObject({ code: 'ERR_AUTH', message: expect.stringContaining(': locked') as string });
    expect(read(path)).toEqual({ credsStore: 'x', auths: { 'a.example': {} } });
  });

  test('does not need a helper that has nothing', async () => {
    const path = await configFile({ credsStore: 'desktop', auths: { 'a.example': LOGIN, 'b.example': {} } });
    const options = { files: [path], helpers: NOT_INSTALLED } as const;
    expect(await logout('a.example', options)).toMatchObject({ wasLoggedIn: true });
    expect(await logout('c.example', options)).toMatchObject({ wasLoggedIn: false });
    await expect(logout('b.example', options)).rejects.toMatchObject({ code: 'ERR_HOST' });
    expect(read(path)).toEqual({ credsStore: 'desktop', auths: { 'b.example': {} } });
  });

  test('A17 refuses what is no server', async () => {
    await expect(logout('a b', { files: ['/nonexistent'] })).rejects.toMatchObject({ code: 'ERR_REFERENCE' });
  });
});
