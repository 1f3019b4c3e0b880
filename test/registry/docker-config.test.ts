import { chmodSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CredentialHelpers } from '../../src/registry/credential-helper.ts';
import { credentialHelpers } from '../../src/registry/credential-helper.ts';
import { credentialsFromDockerConfig, credentialsFromFiles } from '../../src/registry/docker-config.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { helperFolder } from './helper-script.ts';

const NO_HELPERS: CredentialHelpers = {
  get: async () => undefined,
  store: async () => undefined,
  erase: async () => false,
};
const signal = new AbortController().signal;
const encode = (text: string): string => Buffer.from(text).toString('base64');

async function configFile(content: unknown): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'config.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return join(folder, 'config.json');
}

describe('credentialsFromDockerConfig()', () => {
  test.each([
    ['docker.io', 'https://index.docker.io/v1/'],
    ['docker.io', 'docker.io'],
    ['docker.io', 'index.docker.io'],
    ['docker.io', 'https://registry-1.docker.io/v2/'],
    ['ghcr.io', 'ghcr.io'],
    ['ghcr.io', 'https://ghcr.io'],
    ['ghcr.io', 'https://GHCR.io/v2/'],
    ['ghcr.io', 'http://ghcr.io/v1/'],
    ['localhost:5000', 'localhost:5000'],
    ['localhost:5000', 'http://localhost:5000'],
  ])('finds the login for %s under %s', async (registry, key) => {
    const path = await configFile({ auths: { [key]: { auth: encode('user:pa:ss') } } });
    expect(await credentialsFromDockerConfig(path)(registry, signal)).toEqual({
      kind: 'password',
      username: 'user',
      password: 'pa:ss',
    });
  });

  test.each([
    ['another host', 'ghcr.io.example'],
    ['another port', 'ghcr.io:444'],
    ['a part of the name', 'io'],
    ['a name of the prototype', '__proto__'],
  ])('finds none for %s', async (_name, registry) => {
    const path = await configFile({ auths: { 'ghcr.io': { auth: encode('user:pass') } } });
    expect(await credentialsFromDockerConfig(path)(registry, signal)).toBeUndefined();
  });

  test.each([
    ['ghcr.io', 'https://ghcr.io', 'ghcr.io'],
    ['docker.io', 'docker.io', 'https://index.docker.io/v1/'],
  ])('takes for %s the key that docker writes before %s', async (registry, other, key) => {
    const path = await configFile({ auths: { [other]: { auth: encode('old:1') }, [key]: { auth: encode('new:2') } } });
    expect(await credentialsFromDockerConfig(path)(registry, signal)).toMatchObject({ username: 'new' });
  });

  test('takes identity tokens, plain fields and NUL padding as docker does', async () => {
    const path = await configFile({
      auths: {
        'a.example': { auth: encode('user:pass'), identitytoken: 'refresh' },
        'b.example': { username: 'user', password: 'pass' },
        'c.example': { auth: encode('user:pass\0\0') },
      },
    });
    const find = credentialsFromDockerConfig(path);
    expect(await find('a.example', signal)).toEqual({ kind: 'identity', token: 'refresh' });
    expect(await find('b.example', signal)).toEqual({ kind: 'password', username: 'user', password: 'pass' });
    expect(await find('c.example', signal)).toMatchObject({ password: 'pass' });
  });

  test('takes entries of wrong types, and a missing file, as no login', async () => {
    const path = await configFile({
      auths: {
        'a.example': 5,
        'b.example': { auth: 7 },
        'c.example': { auth: encode('nocolon') },
        'd.example': {},
        'e.example': null,
      },
      credHelpers: ['x'],
      credsStore: { a: 1 },
    });
    const find = credentialsFromDockerConfig(path);
    for (const host of 'abcde') expect(await find(`${host}.example`, signal)).toBeUndefined();
    expect(await credentialsFromDockerConfig(await configFile('null'))('a.example', signal)).toBeUndefined();
    expect(await credentialsFromDockerConfig(await configFile(''))('a.example', signal)).toBeUndefined();
    expect(await credentialsFromDockerConfig(await configFile('{"auths":[]}'))('a.example', signal)).toBeUndefined();
    expect(await credentialsFromDockerConfig('/nonexistent/config.json')('a.example', signal)).toBeUndefined();
  });

  test('A18 says which file is broken, and nothing of what is in it', async () => {
    const path = await configFile('{"auths":{"a.example":{"auth":secret');
    const error: unknown = await credentialsFromDockerConfig(path)('a.example', signal).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'ERR_AUTH', message: `Cannot read the logins in "${path}": it is not JSON` });
    expect(inspect(error)).not.toContain('secret'); // JSON.parse quotes what it cannot read
  });

  test.each([
    ['org/image', 'image'],
    ['org/image/deep', 'image'],
    ['org/other', 'org'],
    ['org', 'org'],
    ['organisation/image', 'host'],
    [undefined, 'host'],
  ])('takes for the repository %s the narrowest entry', async (repository, expected) => {
    const auths = { 'quay.io/org': 'org', 'https://quay.io': 'host', 'quay.io/org/image': 'image', 'quay.io/x': 'x' };
    const path = await configFile({
      auths: Object.fromEntries(Object.entries(auths).map(([key, user]) => [key, { auth: encode(`${user}:pass`) }])),
    });
    const find = credentialsFromDockerConfig(path);
    expect(await find('quay.io', signal, repository)).toMatchObject({ username: expected });
  });

  test('takes the login for a part of a registry for no more than that', async () => {
    const path = await configFile({ auths: { 'quay.io/org': { auth: encode('user:pass') } } });
    const find = credentialsFromDockerConfig(path);
    expect(await find('quay.io', signal, 'other/image')).toBeUndefined();
    expect(await find('quay.io', signal)).toBeUndefined();
    expect(await find('org', signal, 'org')).toBeUndefined();
  });

  test('takes registry tokens, unless a header cannot hold them', async () => {
    const path = await configFile({
      auths: { 'a.example': { registrytoken: 'abc.d-e_f~' }, 'b.example': { registrytoken: 'a\r\nx: y' } },
    });
    const find = credentialsFromDockerConfig(path);
    expect(await find('a.example', signal)).toEqual({ kind: 'bearer', token: 'abc.d-e_f~' });
    expect(await find('b.example', signal)).toBeUndefined();
  });

  test('asks the helper of the host, then that of all hosts, then the file', async () => {
    const path = await configFile({
      credHelpers: { 'a.example': 'one' },
      credsStore: 'all',
      auths: { 'b.example': { auth: encode('file:pass') }, 'a.example': { auth: encode('old:pass') } },
    });
    const asked: string[] = [];
    const find = credentialsFromDockerConfig(path, {
      ...NO_HELPERS,
      get: async ({ name, server }) => {
        asked.push(`${name} ${server}`);
        return name === 'one' ? { kind: 'password', username: 'helped', password: '' } : undefined;
      },
    });
    expect(await find('a.example', signal)).toMatchObject({ username: 'helped' });
    expect(await find('b.example', signal)).toMatchObject({ username: 'file' });
    expect(await find('docker.io', signal)).toBeUndefined();
    expect(asked).toEqual(['one a.example', 'all b.example', 'all https://index.docker.io/v1/']);
  });

  test('goes on without a helper for all hosts that is not installed, and says so', async () => {
    const path = await configFile({ credsStore: 'desktop', auths: { 'b.example': { auth: encode('file:pass') } } });
    const find = credentialsFromDockerConfig(path, credentialHelpers({ env: {} }));
    expect(await find('a.example', signal)).toEqual({
      kind: 'none',
      because:
        'Cannot get the login for "a.example" with "docker-credential-desktop": it is not installed. ' +
        `Install it, or remove "credsStore" from "${path}", which names it.`,
    });
    expect(await find('b.example', signal)).toMatchObject({ username: 'file' });
  });

  test('misses a helper that was set up for the host', async () => {
    const path = await configFile({ credHelpers: { 'a.example': 'gone' }, auths: { 'a.example': {} } });
    const find = credentialsFromDockerConfig(path, credentialHelpers({ env: {} }));
    await expect(find('a.example', signal)).rejects.toMatchObject({
      code: 'ERR_HOST',
      hint: `Install it, or remove "credHelpers" from "${path}", which names it.`,
    });
  });

  test('fails where a helper fails: the login that it has must not be forgotten in silence', async () => {
    const path = await configFile({ credsStore: 'x' });
    const folder = await helperFolder('x', 'echo the keychain is locked; exit 1');
    const find = credentialsFromDockerConfig(path, credentialHelpers({ env: { PATH: folder } }));
    await expect(find('a.example', signal)).rejects.toMatchObject({ code: 'ERR_AUTH' });
  });
});

describe('credentialsFromFiles()', () => {
  test('takes the first file that has a login for the host', async () => {
    const login = (user: string): object => ({ auth: encode(`${user}:pass`) });
    const paths = [
      '/nonexistent/auth.json',
      await configFile({ auths: { 'a.example': login('first'), 'b.example': {} } }),
      await configFile({ credHelpers: { 'c.example': 'x' }, auths: { 'c.example': login('unused') } }),
      await configFile({
        auths: { 'a.example': login('last'), 'b.example': login('last'), 'c.example': login('last') },
      }),
    ];
    const helped = { kind: 'password', username: 'helped', password: 'pass' } as const;
    const find = credentialsFromFiles(paths, { ...NO_HELPERS, get: async () => helped });
    expect(await find('a.example', signal)).toMatchObject({ username: 'first' });
    expect(await find('b.example', signal)).toMatchObject({ username: 'last' });
    expect(await find('c.example', signal)).toMatchObject({ username: 'helped' });
    expect(await find('d.example', signal)).toBeUndefined();
  });

  test("passes over another user's file, and says so where no other has a login", requires('root'), async () => {
    const folder = await temporaryFolder();
    chmodSync(folder, 0o755);
    const auth = { auth: encode('user:pass') };
    writeFileSync(join(folder, 'foreign.json'), JSON.stringify({ auths: { 'a.example': auth } }), { mode: 0o600 });
    writeFileSync(join(folder, 'own.json'), JSON.stringify({ auths: { 'b.example': auth } }), { mode: 0o644 });
    const program = await buildChildProgram(`
      import { credentialsFromFiles } from './src/registry/docker-config.ts';
      const find = credentialsFromFiles(process.argv.slice(2));
      const { signal } = new AbortController();
      console.log(JSON.stringify([await find('a.example', signal), await find('b.example', signal)]));
    `);
    onTestFinished(async () => program.remove());
    const args = [join(folder, 'foreign.json'), join(folder, 'own.json')];
    const { stdout } = await program.run({ args, uid: 65534 });
    expect(JSON.parse(stdout)).toEqual([
      { kind: 'none', because: `The logins in "${args[0]}" cannot be read: permission denied.` },
      { kind: 'password', username: 'user', password: 'pass' },
    ]);
  });
});
