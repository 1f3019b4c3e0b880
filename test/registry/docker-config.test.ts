import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { credentialsFromDockerConfig } from '../../src/registry/docker-config.ts';

const signal = new AbortController().signal;
const encode = (text: string): string => Buffer.from(text).toString('base64');

async function configFile(content: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mydocker-config-'));
  onTestFinished(async () => rm(folder, { recursive: true }));
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

  test('takes the exact key before one with a scheme', async () => {
    const path = await configFile({
      auths: { 'https://ghcr.io': { auth: encode('old:1') }, 'ghcr.io': { auth: encode('new:2') } },
    });
    expect(await credentialsFromDockerConfig(path)('ghcr.io', signal)).toMatchObject({ username: 'new' });
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
    expect(await credentialsFromDockerConfig(await configFile('{"auths":[]}'))('a.example', signal)).toBeUndefined();
    expect(await credentialsFromDockerConfig('/nonexistent/config.json')('a.example', signal)).toBeUndefined();
  });

  test('says which file is broken', async () => {
    const path = await configFile('{');
    await expect(credentialsFromDockerConfig(path)('a.example', signal)).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: `Cannot read the logins in "${path}": it is not JSON`,
    });
  });

  test('asks the helper of the host, then that of all hosts, then the file', async () => {
    const path = await configFile({
      credHelpers: { 'a.example': 'one' },
      credsStore: 'all',
      auths: { 'b.example': { auth: encode('file:pass') } },
    });
    const asked: string[] = [];
    const find = credentialsFromDockerConfig(path, async (name, address) => {
      asked.push(`${name} ${address}`);
      return name === 'one' ? { kind: 'password', username: 'helped', password: '' } : undefined;
    });
    expect(await find('a.example', signal)).toMatchObject({ username: 'helped' });
    expect(await find('b.example', signal)).toMatchObject({ username: 'file' });
    expect(await find('docker.io', signal)).toBeUndefined();
    expect(asked).toEqual(['one a.example', 'all b.example', 'all https://index.docker.io/v1/']);
  });
});
