import { describe, expect, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import type { CredentialSource } from '../../src/registry/credentials.ts';
import { basicAuthorization } from '../../src/registry/credentials.ts';
import { downloadBlob } from '../../src/registry/download-blob.ts';
import type { Fault, TestRegistry } from '../support/registry/index.ts';
import { OCI_MANIFEST, SCOPE, USERS, bearer, login, openGuarded, summary, tokenRequests } from './open-guarded.ts';
import { NAME, memorySink, openRepository, startTestRegistry } from './open-repository.ts';

describe('createAuthorizer() with tokens', () => {
  test('R36 takes a life of less than a minute for a minute', async () => {
    const { registry, repository, timing } = await openGuarded(
      bearer({ answer: (token) => ({ token, expires_in: 1 }) }),
    );
    await repository.getManifest('v1');
    timing.advance(59_000);
    await repository.getManifest('v1');
    expect(tokenRequests(registry)).toHaveLength(1);
    timing.advance(1000);
    await repository.getManifest('v1');
    expect(summary(registry).slice(-2)).toEqual(['token -', 'v1 Bearer']);
  });

  test('R37 R39 stops when a fresh token is refused', async () => {
    const { registry, repository } = await openGuarded(bearer({ publicRepositories: [] }));
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      status: 401,
      message: `pull access denied for ${registry.host}/app/web, repository does not exist or may require 'docker login': unauthorized: authentication required`,
      hint: expect.stringContaining(`mydocker login ${registry.host}`) as string,
    });
    expect(summary(registry)).toEqual(['v1 -', 'token -', 'v1 Bearer']);
  });

  test('R38 gets another token when one expires in the middle, and goes on from there', async () => {
    const { registry, repository } = await openGuarded(bearer());
    await repository.getManifest('v1');
    registry.faults.add({ path: '/blobs/', endAfter: 500 });
    const descriptor = registry.putBlob(NAME, Buffer.alloc(2000, 'x'));
    const sink = memorySink();
    await downloadBlob({
      repository,
      descriptor,
      sink,
      onRetry: () => registry.revokeTokens(),
    });
    expect(sink.offset).toBe(2000);
    const blobs = registry.log.filter(({ path }) => path.includes('/blobs/'));
    expect(blobs.map(({ headers }) => headers['range'])).toEqual([undefined, 'bytes=500-', 'bytes=500-']);
    expect(tokenRequests(registry)).toHaveLength(2);
  });

  test('R38 shares one token request between all that need one', async () => {
    const { registry, repository } = await openGuarded(bearer());
    await Promise.all(Array.from({ length: 6 }, async () => repository.getManifest('v1')));
    expect(tokenRequests(registry)).toHaveLength(1);
    registry.revokeTokens();
    await Promise.all(Array.from({ length: 6 }, async () => repository.getManifest('v1')));
    expect(tokenRequests(registry)).toHaveLength(2);
  });

  test('asks for the login once, however many tokens it takes, and again if that failed', async () => {
    const answers: CredentialSource[] = [async () => Promise.reject(new Error('locked')), login];
    let asked = 0;
    const { registry, repository } = await openGuarded(bearer({ users: USERS }), {
      credentials: async (...question) => answers[asked++]!(...question),
    });
    await expect(repository.getManifest('v1')).rejects.toThrow('locked');
    await repository.getManifest('v1');
    registry.revokeTokens();
    await repository.getManifest('v1');
    expect(tokenRequests(registry)).toHaveLength(2);
    expect(asked).toBe(2);
  });

  test('R68 one that gives up does not end the token request of the others', async () => {
    const { registry, repository } = await openGuarded(bearer());
    const abort = new AbortController();
    registry.faults.add({
      path: '/token',
      handle: (_request, response) => {
        abort.abort();
        setImmediate(() => response.end(JSON.stringify({ token: tokenFor(SCOPE) })));
      },
    });
    const given = repository.getManifest('v1', { signal: abort.signal });
    const others = repository.getManifest('v1');
    await expect(given).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await others;
    expect(tokenRequests(registry)).toHaveLength(1);
  });

  test('asks for a token of its own for each repository', async () => {
    const { registry, client, repository } = await openGuarded(bearer());
    registry.putManifest('other', 'v1', Buffer.from('{}'), OCI_MANIFEST);
    await repository.getManifest('v1');
    await client.repository(parseReference(`${registry.host}/other`)).getManifest('v1');
    expect(tokenRequests(registry).map(({ path }) => new URL(path, registry.url).searchParams.get('scope'))).toEqual([
      SCOPE,
      'repository:other:pull',
    ]);
  });

  test('R54 retries a token server that is down', async () => {
    const { registry, repository, timing } = await openGuarded(bearer());
    registry.faults.add({ path: '/token', status: 503 }, { path: '/token', connection: 'reset' });
    await repository.getManifest('v1');
    expect(timing.waits).toEqual([1000, 2000]);
  });

  test('R39 says so when the login is wrong, after one try', async () => {
    const wrong: CredentialSource = async () => ({ kind: 'password', username: 'user', password: 'wrong' });
    const { registry, repository } = await openGuarded(bearer({ users: USERS }), { credentials: wrong });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: expect.stringMatching(/: unauthorized: incorrect username or password$/) as string,
    });
    expect(tokenRequests(registry)).toHaveLength(1);
  });

  test.each([401, 403])('R44 gets another token when a %i tells it of another scope', async (status) => {
    const { registry, repository } = await openGuarded(bearer());
    const push = `repository:${NAME}:pull,push`;
    registry.faults.add(...refusals(status, `${challengeFor(registry)},scope="${push}",error="insufficient_scope"`, 1));
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'token -', 'v1 Bearer']);
    expect(new URL(tokenRequests(registry)[0]!.path, registry.url).searchParams.getAll('scope')).toEqual([push]);
  });

  test('R37 R44 stops when it is told of ever more scopes', async () => {
    const { registry, repository } = await openGuarded(bearer());
    const scopes = Array.from(
      { length: 9 },
      (_, index) => `${challengeFor(registry)},scope="repository:x${index}:pull"`,
    );
    registry.faults.add(...scopes.flatMap((challenge) => refusals(401, challenge, 1)));
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_AUTH', status: 401 });
    expect(summary(registry)).toEqual(['v1 -', 'token -', 'v1 Bearer', 'token -', 'v1 Bearer']);
  });

  test("R44 uses Docker's words when the scope is not granted", async () => {
    const { registry, repository } = await openGuarded(bearer());
    const challenge = `${challengeFor(registry)},scope="${SCOPE}",error="insufficient_scope"`;
    registry.faults.add(...refusals(401, challenge, 3));
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      message: expect.stringMatching(/: denied: requested access to the resource is denied$/) as string,
    });
  });

  test.each(['Digest realm="x"', 'Bearer service="x"', 'Negotiate', ''])(
    'R64 gives up on a challenge that it cannot answer: %j',
    async (challenge) => {
      const { registry, repository } = await openGuarded(bearer());
      registry.faults.add(...refusals(401, challenge, 3));
      await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_AUTH', status: 401 });
      expect(summary(registry)).toEqual(['v1 -']);
    },
  );
});

describe('createAuthorizer() with what cannot be exchanged', () => {
  test('sends a registry token to the registry as it is, and asks for no other', async () => {
    const given = tokenFor(SCOPE);
    const { registry, repository } = await openGuarded(bearer(), {
      credentials: async () => ({ kind: 'bearer', token: given }),
    });
    await repository.getManifest('v1');
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'v1 Bearer', 'v1 Bearer']);
    expect(registry.log.at(-1)?.headers['authorization']).toBe(`Bearer ${given}`);
  });

  test('R37 gives up on a registry token that is refused', async () => {
    const { registry, repository } = await openGuarded(bearer(), {
      credentials: async () => ({ kind: 'bearer', token: 'expired' }),
    });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_AUTH', status: 401 });
    expect(summary(registry)).toEqual(['v1 -', 'v1 Bearer']);
  });

  test('R41 A2 sends a registry token to no token server', async () => {
    const tokens = await startTestRegistry({ auth: bearer() });
    const { registry, repository } = await openGuarded(bearer({ realm: `${tokens.url}/token` }), {
      credentials: async () => ({ kind: 'bearer', token: tokenFor(SCOPE) }),
    });
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'v1 Bearer']);
    expect(tokens.log).toEqual([]);
  });

  test('goes without a login that cannot be had, and says why where that is not enough', async () => {
    const because = 'The keychain is gone.';
    const auth = bearer({ publicRepositories: [NAME] });
    const { registry, client, repository } = await openGuarded(auth, {
      credentials: async () => ({ kind: 'none', because }),
    });
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'token -', 'v1 Bearer']);
    const hidden = client.repository(parseReference(`${registry.host}/private`)).getManifest('v1');
    await expect(hidden).rejects.toMatchObject({ code: 'ERR_AUTH', status: 401, hint: because });
  });

  test.each(['basic', 'bearer'] as const)('asks for the login of each repository (%s)', async (kind) => {
    const users = { [NAME]: 'one', other: 'two' };
    const { registry, client, repository } = await openGuarded(
      kind === 'basic' ? { kind, users } : bearer({ users, publicRepositories: [] }),
      {
        credentials: async (_registry, _signal, name = '') => ({
          kind: 'password',
          username: name,
          password: users[name as keyof typeof users],
        }),
      },
    );
    registry.putManifest('other', 'v1', Buffer.from('{}'), OCI_MANIFEST);
    const other = client.repository(parseReference(`${registry.host}/other`));
    await Promise.all([repository.getManifest('v1'), other.getManifest('v1')]);
    const sent = registry.log.map(({ headers }) => headers['authorization']);
    expect(new Set(sent.filter((header) => header?.startsWith('Basic')))).toEqual(
      new Set([basicAuthorization(NAME, 'one'), basicAuthorization('other', 'two')]),
    );
  });
});

describe('createAuthorizer() with Basic', () => {
  test('sends the login after the challenge, then at once', async () => {
    let asked = 0;
    const credentials: CredentialSource = async (host, signal) => {
      asked += 1;
      expect(host).toBe(registry.host);
      return login(host, signal);
    };
    const { registry, repository } = await openGuarded({ kind: 'basic', users: USERS }, { credentials });
    await repository.getManifest('v1');
    await repository.getManifest('v1');
    expect(summary(registry)).toEqual(['v1 -', 'v1 Basic', 'v1 Basic']);
    expect(asked).toBe(1);
  });

  test.each<[string, CredentialSource, string[]]>([
    ['there is no login', async () => undefined, ['v1 -']],
    ['the login is wrong', async () => ({ kind: 'password', username: 'user', password: 'x' }), ['v1 -', 'v1 Basic']],
    ['there is an identity token only', async () => ({ kind: 'identity', token: 'secret' }), ['v1 -']],
  ])('R39 gives up when %s', async (_name, credentials, expected) => {
    const { registry, repository } = await openGuarded({ kind: 'basic', users: USERS }, { credentials });
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_AUTH', status: 401 });
    expect(summary(registry)).toEqual(expected);
  });

  test('asks nobody for a login that is not needed', async () => {
    const credentials: CredentialSource = async () => Promise.reject(new Error('asked'));
    const { registry, repository } = await openRepository({}, { credentials });
    registry.putManifest(NAME, 'v1', Buffer.from('{}'), OCI_MANIFEST);
    await repository.getManifest('v1');
  });
});

/** Answers to any request for `v1` that carry a challenge. */
function refusals(status: number, challenge: string, times: number): Fault[] {
  const headers = { 'www-authenticate': challenge === '' ? null : challenge };
  return [{ path: 'v1', status, headers, body: '', times }];
}

/** A token as the test registry makes them. */
function tokenFor(scope: string): string {
  return Buffer.from(JSON.stringify({ issued: 0, scopes: [scope] })).toString('base64url');
}

/** A Bearer challenge of the registry's own realm, without a scope. */
function challengeFor({ url }: TestRegistry): string {
  return `Bearer realm="${url}/token"`;
}
