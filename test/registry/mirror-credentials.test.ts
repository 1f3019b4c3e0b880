import { describe, expect, onTestFinished, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import type { RegistryOptions } from '../../src/registry/client.ts';
import type { TestRegistry } from '../support/registry/index.ts';
import { makeCertificates, startProxy } from '../support/registry/index.ts';
import { USERS, login } from './open-guarded.ts';
import { filesIn, putEverywhere, startMirrored } from './open-mirrored.ts';
import { NAME, openClient, startTestRegistry } from './open-repository.ts';

const HUB = 'registry-1.docker.io';
const certificates = makeCertificates([HUB]);

describe('credentials and mirrors', () => {
  const LOGIN = `Basic ${Buffer.from('user:pa:ss').toString('base64')}`;
  /** Those of each registry, with its name as the password. */
  const own: RegistryOptions['credentials'] = async (registry) => ({
    kind: 'password',
    username: 'user',
    password: registry,
  });
  const authorizations = ({ log }: TestRegistry): string[] => log.map(({ headers }) => headers['authorization'] ?? '-');
  const passwordOf = (authorization: string): string => Buffer.from(authorization.slice(6), 'base64').toString();

  test('A1 A2 of a mirror go to the mirror only, those of the registry never to a mirror', async () => {
    const guarded = { auth: { kind: 'basic' as const, users: {} } };
    const { upstream, mirrors, open } = await startMirrored({ mirrors: [guarded, guarded], upstream: guarded });
    const { repository } = await open({ credentials: own });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_AUTH' });
    for (const registry of [upstream, ...mirrors]) {
      expect(authorizations(registry).map((text) => (text === '-' ? '-' : passwordOf(text)))).toEqual([
        '-',
        `user:${registry.host}`,
      ]);
    }
  });

  test('A1 a login that is for the registry is asked for by its name, and none is there for the mirror', async () => {
    const asked: string[] = [];
    const guarded = { auth: { kind: 'basic' as const, users: USERS } };
    const { upstream, mirrors, open } = await startMirrored({ mirrors: [guarded], upstream: guarded });
    putEverywhere([upstream, ...mirrors]);
    const { repository } = await open({
      credentials: async (registry, signal) => {
        asked.push(registry);
        return registry === upstream.host ? login(registry, signal) : undefined;
      },
    });
    await repository.getManifest('v1');
    expect(asked).toEqual([mirrors[0]?.host, upstream.host]);
    expect(authorizations(mirrors[0]!)).toEqual(['-']);
    expect(authorizations(upstream)).toEqual(['-', LOGIN]);
  });

  test('A2 R41 a mirror that names the token server of the registry gets no token by its login', async () => {
    const upstreamAuth = { auth: { kind: 'bearer' as const, users: USERS, publicRepositories: [] } };
    const { upstream, mirrors, open } = await startMirrored({ upstream: upstreamAuth, mirrors: [{}] });
    putEverywhere([upstream, ...mirrors]);
    const challenge = `Bearer realm="${upstream.url}/token",service="s",scope="repository:${NAME}:pull"`;
    mirrors[0]?.faults.add({ path: 'v1', status: 401, headers: { 'www-authenticate': challenge }, times: 9 });
    const { repository } = await open({ credentials: login });
    await repository.getManifest('v1');
    const atToken = upstream.log.filter(({ path }) => path.startsWith('/token'));
    expect(atToken.map(({ headers }) => headers['authorization'] ?? '-')).toEqual(['-', LOGIN]);
    // What the mirror was shown is the token of nobody.
    const [, shown = ''] = authorizations(mirrors[0]!);
    const { scopes } = JSON.parse(Buffer.from(shown.replace('Bearer ', ''), 'base64url').toString()) as { scopes: [] };
    expect(scopes).toEqual([]);
  });

  test('A3 R46 a mirror that redirects to the registry makes nobody show a login there', async () => {
    const { upstream, mirrors, open } = await startMirrored({
      mirrors: [{ auth: { kind: 'basic', users: USERS } }],
      toml: ([mirror]) => `[host."${mirror?.url}".header]\nX-Key = "key"`,
    });
    const digest = putEverywhere([upstream, ...mirrors]);
    const { repository } = await open({ credentials: login });
    const location = `${upstream.url}/v2/${NAME}/manifests/${digest}`;
    mirrors[0]?.faults.add({ after: 1, status: 307, headers: { location } });
    await repository.getManifest('v1');
    expect(authorizations(mirrors[0]!)).toEqual(['-', LOGIN]);
    expect(mirrors[0]?.log.map(({ headers }) => headers['x-key'])).toEqual(['key', 'key']);
    expect(upstream.log.map(({ headers }) => [headers['authorization'], headers['x-key']])).toEqual([
      [undefined, undefined],
    ]);
  });

  test('a header is for its host only, its token server there included, and gone after a way round', async () => {
    const { upstream, mirrors, open } = await startMirrored({
      mirrors: [{ auth: { kind: 'bearer' } }, {}],
      toml: ([first, second]) => `[host."${first?.url}".header]\nX-Key = ["a", "b"]\n[host."${second?.url}"]`,
    });
    const [first, second] = mirrors;
    const digest = putEverywhere([first!]);
    const { repository } = await open();
    const round = `${second?.url}/round`;
    const back = `${first?.url}/v2/${NAME}/manifests/${digest}`;
    first?.faults.add({ path: 'v1', after: 1, status: 307, headers: { location: round } });
    second?.faults.add({ path: 'round', status: 307, headers: { location: back } });
    await repository.getManifest('v1').catch(() => undefined);
    expect(
      first?.log.map(({ path, headers }) => `${path.replace(/\?.*|sha256.*/, '')} ${headers['x-key'] ?? '-'}`),
    ).toEqual([
      `/v2/${NAME}/manifests/v1 a, b`,
      '/token a, b',
      `/v2/${NAME}/manifests/v1 a, b`,
      `/v2/${NAME}/manifests/ -`,
    ]);
    for (const { log } of [second!, upstream]) expect(log.some(({ headers }) => 'x-key' in headers)).toBe(false);
  });

  test.skipIf(certificates === undefined)(
    'those of Docker Hub are for docker.io, also where a file names its server',
    async () => {
      const hub = await startTestRegistry({
        auth: { kind: 'basic', users: USERS },
        ...(certificates !== undefined && { tls: certificates.good }),
      });
      hub.putManifest('library/alpine', '3', Buffer.from('{}'), 'application/json');
      const proxy = await startProxy({ routes: { [`${HUB}:443`]: hub.host } });
      onTestFinished(async () => proxy.close());
      const asked: string[] = [];
      const { client } = openClient({
        hostsFolders: [await filesIn({ 'docker.io/hosts.toml': `server = "https://${HUB}"` })],
        proxy: { https: proxy.url },
        ca: [certificates?.ca ?? ''],
        credentials: async (registry, signal) => {
          asked.push(registry);
          return login(registry, signal);
        },
      });
      await client.repository(parseReference('alpine')).getManifest('3');
      expect(asked).toEqual(['docker.io']);
      expect(hub.log.map(({ path }) => path)).toEqual([
        '/v2/library/alpine/manifests/3',
        '/v2/library/alpine/manifests/3',
      ]);
    },
  );

  test('an Authorization that the file gives is sent until there is another', async () => {
    const { mirrors, open } = await startMirrored({
      mirrors: [{ auth: { kind: 'basic', users: USERS } }],
      toml: ([mirror]) => `[host."${mirror?.url}".header]\nAuthorization = "${LOGIN}"`,
    });
    putEverywhere(mirrors);
    await (await open()).repository.getManifest('v1');
    expect(authorizations(mirrors[0]!)).toEqual([LOGIN]);
  });
});
