import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { HelperCall } from '../../src/registry/credential-helper.ts';
import { credentialHelpers } from '../../src/registry/credential-helper.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { helperFolder, keychain } from './helper-script.ts';

const CALL: HelperCall = { name: 'x', setting: 'credsStore', server: 'a.example', path: '/home/u/config.json' };

/** Helpers on a PATH where `docker-credential-x` is the given script. */
async function withHelper(body: string): Promise<ReturnType<typeof credentialHelpers>> {
  return credentialHelpers({ env: { PATH: `${await helperFolder('x', body)}:/usr/bin:/bin` } });
}

describe('credentialHelpers()', () => {
  test('stores, gets and erases as docker does', async () => {
    const { env, calls } = await keychain();
    const helpers = credentialHelpers({ env });
    const call = { ...CALL, name: 'keep' };
    expect(await helpers.get(call)).toBeUndefined();
    await helpers.store(call, { kind: 'password', username: 'user', password: 'pä"ss' });
    expect(await helpers.get(call)).toEqual({ kind: 'password', username: 'user', password: 'pä"ss' });
    await helpers.store(call, { kind: 'identity', token: 'refresh' });
    expect(await helpers.get(call)).toEqual({ kind: 'identity', token: 'refresh' });
    expect(await helpers.erase(call)).toBe(true);
    expect(await helpers.erase(call)).toBe(false);
    expect((await calls()).filter((line) => !line.startsWith('get'))).toEqual([
      'store {"ServerURL":"a.example","Username":"user","Secret":"pä\\"ss"}',
      'store {"ServerURL":"a.example","Username":"<token>","Secret":"refresh"}',
      'erase a.example',
      'erase a.example',
    ]);
  });

  test.each([
    ['no JSON', 'echo secret'],
    ['JSON of another kind', 'echo "[]"'],
    ['no secret', `echo '{"Username":"user"}'`],
    ['numbers', `echo '{"Username":1,"Secret":2}'`],
    ['nothing', 'true'],
  ])('refuses an answer with %s, and does not show it', async (_name, body) => {
    const { get } = await withHelper(body);
    await expect(get(CALL)).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message:
        'Cannot get the login for "a.example" with "docker-credential-x": it did not answer with a user name and a secret in JSON',
    });
  });

  test('takes an empty secret for no login', async () => {
    const { get } = await withHelper(`echo '{"ServerURL":"","Username":"","Secret":""}'`);
    expect(await get(CALL)).toBeUndefined();
  });

  test.each([
    ['stdout', 'echo "no keychain: $(printf "\\033[31mred")"; exit 3', '3: no keychain: \\x1b[31mred'],
    ['stderr where stdout is empty', 'echo locked >&2; exit 1', '1: locked'],
    ['neither where stdout may be the secret', `echo '{"Secret":"pw"}'; exit 1`, '1'],
    ['the exit code alone', 'exit 7', '7'],
  ])('tells of a failure by %s, cleaned', async (_name, body, expected) => {
    const { get } = await withHelper(body);
    await expect(get(CALL)).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: `Cannot get the login for "a.example" with "docker-credential-x": it ended with exit code ${expected}`,
    });
  });

  test.each([
    ['as it is', 'pa$$word', `cat >&2; exit 1`],
    ['as JSON', 'pa"word', `cat >&2; exit 1`],
    ['in the clear', 'pa"word', `cat >/dev/null; echo '"pa"word"' >&2; exit 1`],
  ])('keeps the secret out of the error where a helper repeats it %s', async (_name, password, body) => {
    const { store } = await withHelper(body);
    const error: unknown = await store(CALL, { kind: 'password', username: 'user', password }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ message: expect.stringContaining('"***"') as string });
    expect(inspect(error)).not.toContain('word"');
  });

  test('says which helper is missing, and where it is named', async () => {
    const { get } = credentialHelpers({ env: { PATH: await temporaryFolder() } });
    await expect(get({ ...CALL, name: 'desktop' })).rejects.toMatchObject({
      code: 'ERR_HOST',
      message: 'Cannot get the login for "a.example" with "docker-credential-desktop": it is not installed',
      hint: 'Install it, or remove "credsStore" from "/home/u/config.json", which names it.',
    });
  });

  test.each(['../x', 'a/x', '', '-x', '.x', 'x y', 'x\ny', 'x\0', 'é', 'x'.repeat(65)])(
    'starts nothing for the name %j',
    async (name) => {
      const folder = await temporaryFolder();
      await mkdir(join(folder, 'docker-credential-a'));
      const { get } = credentialHelpers({ env: { PATH: folder } });
      await expect(get({ ...CALL, name })).rejects.toMatchObject({
        code: 'ERR_HOST',
        message: expect.stringMatching(/: that is no name of a credential helper$/) as string,
      });
    },
  );

  test('looks on the PATH only: in absolute folders, for an executable file', async () => {
    const working = await helperFolder('x', `echo '{"Username":"right","Secret":"s"}'`);
    const others = await temporaryFolder();
    await mkdir(join(others, 'folder/docker-credential-x'), { recursive: true });
    await mkdir(join(others, 'plain'));
    await writeFile(join(others, 'plain/docker-credential-x'), '#!/bin/sh\n');
    await chmod(join(others, 'plain/docker-credential-x'), 0o644);
    const wrong = relative(process.cwd(), await helperFolder('x', `echo '{"Username":"wrong","Secret":"s"}'`));
    const PATH = ['', '.', wrong, `${others}/folder`, `${others}/plain`, working].join(':');
    const { get } = credentialHelpers({ env: { PATH } });
    expect(await get(CALL)).toMatchObject({ username: 'right' });
  });

  test('hands on the environment that it was given, and no shell reads the server', async () => {
    const folder = await helperFolder('x', `printf '{"Username":"%s","Secret":"%s"}' "$MINE" "$(cat)"`);
    const { get } = credentialHelpers({ env: { PATH: `${folder}:/usr/bin:/bin`, MINE: 'here' } });
    expect(await get({ ...CALL, server: '$(id)`id`;id' })).toEqual({
      kind: 'password',
      username: 'here',
      password: '$(id)`id`;id',
    });
  });

  test('does not wait for input to be read', async () => {
    const { store } = await withHelper('exec 0<&-; exit 0');
    await store(CALL, { kind: 'password', username: 'u', password: 'x'.repeat(1 << 20) });
  });

  test('stops a helper that answers with more than 1 MiB', async () => {
    const { get } = await withHelper('exec cat /dev/zero');
    await expect(get(CALL)).rejects.toMatchObject({
      code: 'ERR_LIMIT',
      message: expect.stringContaining('it answered with more than 1048576 bytes') as string,
    });
  });

  test('does not mind how much it says on stderr', async () => {
    const { get } = await withHelper(`head -c 3000000 /dev/zero >&2; echo '{"Username":"u","Secret":"s"}'`);
    expect(await get(CALL)).toMatchObject({ username: 'u' });
  });

  test('ends a helper that takes too long, also where what it started lives on', async () => {
    const pipes = process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap');
    const folder = await helperFolder('x', 'sleep 600 & echo $! >"$0.pid"; wait');
    const { get } = credentialHelpers({ env: { PATH: `${folder}:/usr/bin:/bin` }, timeoutMs: 1000 });
    onTestFinished(
      async () => void process.kill(Number(await readFile(join(folder, 'docker-credential-x.pid'), 'utf8'))),
    );
    await expect(get(CALL)).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: expect.stringContaining('it did not end within 1 s') as string,
    });
    await expect.poll(() => process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap')).toEqual(pipes);
  });

  test('ends a helper when the caller gives up', async () => {
    const { get } = await withHelper('exec sleep 600');
    const abort = new AbortController();
    const asked = get({ ...CALL, signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await expect(get({ ...CALL, signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test('says so when a helper cannot be started', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'docker-credential-x'), '#!/nonexistent\n', { mode: 0o755 });
    const { get } = credentialHelpers({ env: { PATH: folder } });
    await expect(get(CALL)).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: expect.stringMatching(/: it cannot be started$/) as string,
    });
  });
});
