import { describe, expect, test } from 'vitest';
import { SCOPE, USERS, bearer, login, openGuarded, summary, tokenRequests } from './open-guarded.ts';

const BASIC = `Basic ${Buffer.from('user:pa:ss').toString('base64')}`;

describe('requestToken()', () => {
  test('gets a token without a login, with service and scope, and uses it from then on', async () => {
    const { registry, repository } = await openGuarded(bearer());
    await repository.getManifest('v1');
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'token -', 'v1 Bearer', 'v1 Bearer']);
    const query = new URL(tokenRequests(registry)[0]!.path, registry.url).searchParams;
    expect([...query]).toEqual([
      ['service', 'test-registry'],
      ['scope', SCOPE],
    ]);
  });

  test("sends the login to the registry's own host", async () => {
    const { registry, repository } = await openGuarded(bearer({ users: USERS, publicRepositories: [] }), {
      credentials: login,
    });
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'token Basic', 'v1 Bearer']);
    expect(tokenRequests(registry)[0]!.headers['authorization']).toBe(BASIC);
  });

  test("keeps the realm's own query, and asks for each scope by itself", async () => {
    const { registry, repository } = await openGuarded(bearer());
    const realm = `${registry.url}/token?account=1`;
    const challenge = `Bearer realm="${realm}",scope="${SCOPE} repository:other:pull"`;
    registry.faults.add({ path: 'v1', status: 401, headers: { 'www-authenticate': challenge } });
    await repository.getManifest('v1');
    const query = new URL(tokenRequests(registry)[0]!.path, registry.url).searchParams;
    expect([...query]).toEqual([
      ['account', '1'],
      ['scope', SCOPE],
      ['scope', 'repository:other:pull'],
    ]);
  });

  test('exchanges an identity token by POST, and never as Basic', async () => {
    const auth = bearer({ identityTokens: { refresh: 'user' }, publicRepositories: [] });
    const { registry, repository } = await openGuarded(auth, {
      credentials: async () => ({ kind: 'identity', token: 'refresh' }),
    });
    await repository.getManifest('v1');
    expect(tokenRequests(registry)).toMatchObject([{ method: 'POST', path: '/token' }]);
    const { body, headers } = tokenRequests(registry)[0]!;
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'mydocker',
      refresh_token: 'refresh',
      scope: SCOPE,
      service: 'test-registry',
    });
    expect(headers['authorization']).toBeUndefined();
  });

  test('R37 an identity token that has expired is sent once, and the error says how to get another', async () => {
    const { registry, repository } = await openGuarded(bearer({ identityTokens: { refresh: 'user' } }), {
      credentials: async () => ({ kind: 'identity', token: 'expired' }),
    });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      status: 401,
      hint: expect.stringContaining(`mydocker login ${registry.host}`) as string,
    });
    expect(summary(registry)).toEqual(['v1 -', 'token -']);
  });

  test('R36 a token said to live for decades is replaced when the registry no longer takes it', async () => {
    const { registry, repository } = await openGuarded(bearer({ answer: (token) => ({ token, expires_in: 1e9 }) }));
    await repository.getManifest('v1');
    registry.revokeTokens();
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'token -', 'v1 Bearer', 'v1 Bearer', 'token -', 'v1 Bearer']);
  });

  test.each<[string, (token: string) => unknown]>([
    ['token only', (token) => ({ token })],
    ['access_token only', (token) => ({ access_token: token })],
    ['both, different', (token) => ({ access_token: 'other', token })],
    ['an empty token beside access_token', (token) => ({ access_token: token, token: '' })],
    ['expires_in -1', (token) => ({ token, expires_in: -1 })],
    ['expires_in 0', (token) => ({ token, expires_in: 0 })],
    ['expires_in 1e9', (token) => ({ token, expires_in: 1e9 })],
    ['expires_in "60"', (token) => ({ token, expires_in: '60' })],
    ['expires_in 1e400', (token) => `{"token":"${token}","expires_in":1e400}`],
    ['a nonsense issued_at', (token) => ({ token, issued_at: 'yesterday' })],
  ])('R35 R36 understands an answer with %s', async (_name, answer) => {
    const { registry, repository } = await openGuarded(bearer({ answer }));
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'token -', 'v1 Bearer']);
  });

  test.each<[string, unknown]>([
    ['neither', {}],
    ['a number', { token: 5 }],
    ['a line break in it', { token: 'a\r\nx-evil: 1' }],
    ['HTML', '<html>'],
    ['nothing', ''],
    ['null', 'null'],
    ['an array', '["token"]'],
  ])('R35 R36 refuses an answer with %s', async (_name, answer) => {
    const { registry, repository } = await openGuarded(bearer({ answer: () => answer }));
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: expect.stringContaining(`${registry.host} answered without a token`) as string,
    });
    expect(tokenRequests(registry)).toHaveLength(1);
  });

  test('R36 reads no more than 1 MiB of an answer', async () => {
    const { repository } = await openGuarded(bearer({ answer: (token) => ({ token, padding: 'x'.repeat(1 << 20) }) }));
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_LIMIT' });
  });
});
