import { describe, expect, test } from 'vitest';
import { downloadBlob } from '../../src/registry/download-blob.ts';
import type { TestRegistry } from '../support/registry/index.ts';
import type { Setup } from './open-repository.ts';
import { NAME, memorySink, openRepository, startTestRegistry } from './open-repository.ts';

const BLOB = Buffer.alloc(1000, 'x');
const USERS = { user: 'pass' };
const credentials = async () => ({ kind: 'password' as const, username: 'user', password: 'pass' });

/** A registry with one blob, and a storage on another port that has it as well, under the repository `cdn`. */
async function setup(): Promise<Setup & { storage: TestRegistry; target: string; download: () => Promise<Buffer> }> {
  const storage = await startTestRegistry();
  const opened = await openRepository({ auth: { kind: 'basic', users: USERS } }, { credentials });
  const descriptor = opened.registry.putBlob(NAME, BLOB);
  storage.putBlob('cdn', BLOB);
  const download = async (): Promise<Buffer> => {
    const sink = memorySink();
    await downloadBlob({ repository: opened.repository, descriptor, sink });
    return sink.bytes;
  };
  await download(); // from here on the login is sent at once
  opened.registry.log.length = 0;
  return { ...opened, storage, download, target: `${storage.url}/v2/cdn/blobs/${descriptor.digest}` };
}

function redirect(location: string | string[] | null, status = 307) {
  return { path: '/blobs/', status, headers: { location } };
}

describe('follow()', () => {
  test.each([301, 302, 303, 307, 308])('R46 R47 A3 follows a %i to another port without the login', async (status) => {
    const { registry, storage, target, download } = await setup();
    registry.faults.add(redirect(`${target}?sig=1`, status));
    expect(await download()).toEqual(BLOB);
    expect(registry.log[0]?.headers['authorization']).toMatch(/^Basic /);
    expect(storage.log).toMatchObject([{ method: 'GET', headers: { 'accept-encoding': 'identity' } }]);
    expect(storage.log[0]?.path).toMatch(/\?sig=1$/);
    expect(storage.log[0]?.headers['authorization']).toBeUndefined();
    expect(storage.log[0]?.headers['cookie']).toBeUndefined();
  });

  test('R46 asks the registry anew for each try, and for the rest with a range', async () => {
    const { registry, storage, target, download } = await setup();
    registry.faults.add(redirect(target), redirect(target));
    storage.faults.add({ path: '/blobs/', endAfter: 100 });
    expect(await download()).toEqual(BLOB);
    expect(storage.log.map(({ headers }) => headers['range'])).toEqual([undefined, 'bytes=100-']);
    expect(registry.log).toHaveLength(2);
  });

  test('R48 keeps the login on a relative redirect, and on one to the same origin', async () => {
    const { registry, download } = await setup();
    registry.faults.add(
      redirect('../blobs/sha256:a'),
      redirect(`${registry.url}/v2/${NAME}/blobs/sha256:b`),
      redirect(registry.log[0]?.path ?? '/'),
    );
    await expect(download()).rejects.toMatchObject({ code: 'ERR_REGISTRY' }); // the last one leads to /
    expect(registry.log.map(({ headers }) => headers['authorization']?.slice(0, 5))).toEqual(
      Array.from({ length: 4 }, () => 'Basic'),
    );
  });

  test('R48 follows //host, and does not take the login up again on the way back', async () => {
    const { registry, storage, download, target } = await setup();
    const path = new URL(target).pathname;
    registry.faults.add(redirect(`//${storage.host}${path}`), {
      path: 'back',
      status: 401,
      headers: { 'www-authenticate': 'Basic realm=x' },
    });
    storage.faults.add({ path: '/cdn/', status: 302, headers: { location: `${registry.url}/back` } });
    await expect(download()).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining('401 Unauthorized') as string,
    });
    expect(
      registry.log.map(({ path, headers }) => [path.startsWith('/back'), headers['authorization'] !== undefined]),
    ).toEqual([
      [false, true],
      [true, false],
    ]);
  });

  test('R48 follows five redirects, and not six', async () => {
    const { registry, download } = await setup();
    registry.faults.add({ ...redirect(''), headers: { location: '?' }, times: 5 });
    expect(await download()).toEqual(BLOB);
    registry.log.length = 0;
    registry.faults.add({ ...redirect(''), headers: { location: '?' }, times: 99 });
    await expect(download()).rejects.toMatchObject({
      message: expect.stringContaining('redirects more than 5 times') as string,
    });
    expect(registry.log).toHaveLength(6);
  });

  test.each<[string, string | string[] | null]>([
    ['no Location', null],
    ['an empty Location', ''],
    ['something that is no URL', 'http://['],
    ['a file', 'file:///etc/passwd'],
    ['a data URL', 'data:,x'],
    ['a login in the URL', 'https://user:secret@example.com/'],
    ['a metadata service', 'http://169.254.169.254/latest/'],
    ['a metadata service in decimal', 'http://2852039166/'],
    ['a metadata service in IPv6', 'http://[::ffff:169.254.169.254]/'],
    ['this machine as 0.0.0.0', 'http://0.0.0.0/'],
  ])('R47 R48 A4 refuses %s, and does not try again', async (_name, location) => {
    const { registry, download } = await setup();
    registry.faults.add(redirect(location));
    const error = await download().catch((error: unknown) => error as Error);
    expect(error).toMatchObject({ code: 'ERR_NETWORK', problem: 'forbidden' });
    expect(String(error)).not.toContain('secret');
    expect(registry.log).toHaveLength(1);
  });

  test('R48 refuses a Location of 2 MB', async () => {
    const { registry, download } = await setup();
    const raw = `HTTP/1.1 307 Temporary Redirect\r\nlocation: http://x/${'x'.repeat(2 << 20)}\r\n\r\n`;
    registry.faults.add({ path: '/blobs/', raw });
    await expect(download()).rejects.toMatchObject({ code: 'ERR_NETWORK', problem: 'protocol' });
  });

  test('R49 answers no challenge of a host that it was redirected to', async () => {
    const { registry, storage, target, download } = await setup();
    for (const challenge of ['Basic realm="x"', `Bearer realm="${storage.url}/token"`]) {
      registry.faults.add(redirect(target));
      storage.faults.add({ path: '/cdn/', status: 401, headers: { 'www-authenticate': challenge } });
      await expect(download()).rejects.toMatchObject({
        code: 'ERR_AUTH',
        message: expect.stringContaining(`${storage.host} answered 401 Unauthorized`) as string,
      });
    }
    expect(storage.log.map(({ headers }) => headers['authorization'])).toEqual([undefined, undefined]);
  });

  test('R54 retries when the storage is down', async () => {
    const { registry, storage, target, download, timing } = await setup();
    registry.faults.add({ ...redirect(target), times: 3 });
    storage.faults.add({ status: 503, headers: { 'retry-after': '3' } }, { connection: 'reset' });
    expect(await download()).toEqual(BLOB);
    expect(timing.waits).toEqual([3000, 2000]);
  });
});
