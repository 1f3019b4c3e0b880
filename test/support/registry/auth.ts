import type { IncomingMessage } from 'node:http';

/** How a test registry asks who is there. Passwords are in the clear: nothing here is a secret. */
export type TestAuth =
  | { kind: 'basic'; users: Record<string, string> }
  | {
      kind: 'bearer';
      /** Users of the token endpoint. */
      users?: Record<string, string>;
      /** Repositories that can be pulled without an account; all when left out, none when empty. */
      publicRepositories?: string[];
      /** The realm in the challenge; this server's own `/token` when left out. */
      realm?: string;
      /** false leaves the parameter out. */
      service?: string | false;
      /** Makes the token answer from the token; the default is `{ token, expires_in: 300 }`. */
      answer?: (token: string) => unknown;
      /** Identity (refresh) tokens accepted by POST, with the user that each stands for. */
      identityTokens?: Record<string, string>;
    };

export interface AuthAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface Gate {
  /** undefined: let it in. */
  check(request: IncomingMessage, repository: string | undefined): AuthAnswer | undefined;
  /** The token endpoint; `form` is the body of a POST. */
  issue(request: IncomingMessage, form: URLSearchParams): AuthAnswer;
  /** Refuses every token that was issued so far by anyone and presented here. */
  revoke(): void;
}

export function createGate(auth: TestAuth | undefined, ownUrl: () => string): Gate {
  let issued = 0;
  const presented = new Set<string>();
  const revoked = new Set<string>();
  return {
    check(request, repository) {
      if (auth === undefined) return undefined;
      const header = request.headers.authorization ?? '';
      if (auth.kind === 'basic') return userOf(header, auth.users) === undefined ? basicChallenge() : undefined;
      const token = /^Bearer (.+)$/.exec(header)?.[1];
      if (token !== undefined) presented.add(token);
      if (token !== undefined && !revoked.has(token) && covers(token, repository)) return undefined;
      const realm = auth.realm ?? `${ownUrl()}/token`;
      const service = auth.service === false ? '' : `,service="${auth.service ?? 'test-registry'}"`;
      const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`;
      return {
        status: 401,
        headers: { 'www-authenticate': `Bearer realm="${realm}"${service}${scope}` },
        body: errorBody('UNAUTHORIZED', 'authentication required'),
      };
    },
    issue(request, form) {
      if (auth?.kind !== 'bearer') return { status: 404, headers: {}, body: '' };
      const query = new URL(request.url ?? '/', 'http://test').searchParams;
      const isPost = request.method === 'POST';
      const header = request.headers.authorization ?? '';
      const user = isPost ? auth.identityTokens?.[form.get('refresh_token') ?? ''] : userOf(header, auth.users ?? {});
      if (user === undefined && (header !== '' || isPost)) {
        return { status: 401, headers: {}, body: errorBody('UNAUTHORIZED', 'incorrect username or password') };
      }
      issued += 1;
      const scopes = (isPost ? (form.get('scope') ?? '').split(' ') : query.getAll('scope')).filter(
        (scope) => user !== undefined || isPublic(scope, auth.publicRepositories),
      );
      const token = Buffer.from(JSON.stringify({ issued, scopes })).toString('base64url');
      const answer = auth.answer?.(token) ?? { token, expires_in: 300 };
      const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
      return { status: 200, headers: { 'content-type': 'application/json' }, body };
    },
    revoke() {
      for (const token of presented) revoked.add(token);
    },
  };
}

export function errorBody(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message, detail: null }] });
}

function basicChallenge(): AuthAnswer {
  return {
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="Test Registry"' },
    body: errorBody('UNAUTHORIZED', 'authentication required'),
  };
}

function userOf(header: string, users: Record<string, string>): string | undefined {
  const encoded = /^Basic (.+)$/.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const [name = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':');
  return Object.hasOwn(users, name) && users[name] === rest.join(':') ? name : undefined;
}

function isPublic(scope: string, publicRepositories: string[] | undefined): boolean {
  return publicRepositories === undefined || publicRepositories.some((name) => scope === `repository:${name}:pull`);
}

function covers(token: string, repository: string | undefined): boolean {
  try {
    const { scopes } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { scopes: string[] };
    return repository === undefined || scopes.some((scope) => lets(scope, repository));
  } catch {
    return false;
  }
}

function lets(scope: string, repository: string): boolean {
  const prefix = `repository:${repository}:`;
  return scope.startsWith(prefix) && scope.slice(prefix.length).split(',').includes('pull');
}
