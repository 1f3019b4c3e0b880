import { describe, expect, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { SCOPE, USERS, bearer, login, openGuarded, summary } from './open-guarded.ts';
import { NAME, openClient, startTestRegistry } from './open-repository.ts';

describe('realmUrl()', () => {
  test('R41 A2 asks a token server on another host without the login, and says so', async () => {
    const tokens = await startTestRegistry({ auth: bearer({ publicRepositories: [] }) });
    const { registry, repository } = await openGuarded(bearer({ realm: `${tokens.url}/token` }), {
      credentials: login,
    });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      hint: `Logins for ${registry.host} were not sent to its token server ${tokens.host}, which is another host.`,
    });
    expect(summary(tokens)).toEqual(['token -']);
  });

  test('R41 sends the login to a token server that is trusted by name', async () => {
    const tokens = await startTestRegistry({ auth: bearer({ users: USERS, publicRepositories: [] }) });
    const registry = await startTestRegistry({ auth: bearer({ realm: `${tokens.url}/token` }) });
    registry.putManifest(NAME, 'v1', Buffer.from('{}'), 'application/json');
    const { client } = openClient({ credentials: login, tokenServers: { [registry.host]: tokens.url } });
    await client.repository(parseReference(`${registry.host}/${NAME}`)).getManifest('v1');
    expect(summary(tokens)).toEqual(['token Basic']);
  });

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://0.0.0.0:80/',
    'http://2852039166/', // 169.254.169.254
    'http://user:pass@127.0.0.1/',
    'file:///etc/passwd',
    'ftp://example.com/',
    'token',
    '//example.com/token',
    'https://',
  ])('R42 does not ask %s', async (realm) => {
    const { registry, repository } = await openGuarded(bearer({ realm }), { credentials: login });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: expect.stringContaining('which is refused: ') as string,
    });
    expect(summary(registry)).toEqual(['v1 -']);
  });

  test('R43 drops the login where the realm redirects to another host', async () => {
    const tokens = await startTestRegistry({ auth: bearer() });
    const { registry, repository } = await openGuarded(bearer({ users: USERS }), { credentials: login });
    registry.faults.add({ path: '/token', status: 307, headers: { location: `${tokens.url}/token?scope=${SCOPE}` } });
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'token Basic', 'v1 Bearer']);
    expect(summary(tokens)).toEqual(['token -']);
  });

  test('R43 does not follow the realm to an address inside', async () => {
    const { registry, repository } = await openGuarded(bearer(), { credentials: login });
    registry.faults.add({ path: '/token', status: 302, headers: { location: 'http://169.254.169.254/' } });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_NETWORK', problem: 'forbidden' });
  });

  test.each([301, 302, 303, 307, 308])('R50 does not follow a %i of a POST: its body is a secret', async (status) => {
    const other = await startTestRegistry({ auth: bearer({ identityTokens: { refresh: 'user' } }) });
    const { registry, repository } = await openGuarded(bearer({ identityTokens: { refresh: 'user' } }), {
      credentials: async () => ({ kind: 'identity', token: 'refresh' }),
    });
    registry.faults.add({ path: '/token', status, headers: { location: `${other.url}/token` } });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_REGISTRY', status });
    expect(other.log).toEqual([]);
  });
});
