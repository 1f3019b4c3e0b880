import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { basicAuthorization } from './credentials.ts';
import { readFailure } from './failure.ts';
import type { FollowRequest } from './follow.ts';
import { follow } from './follow.ts';
import { readLimited } from './read-limited.ts';
import type { Purpose } from './status-error.ts';
import { statusError } from './status-error.ts';
import type { Timing } from './timing.ts';
import type { Transport } from './transport.ts';

const MAX_ANSWER = 1024 * 1024; // bytes
const MIN_LIFE_S = 60; // the default of the specification, and what a shorter or senseless one is taken for
const CLIENT_ID = 'mydocker';

export interface Token {
  value: string;
  /** On the clock of Timing.now. */
  expiresAt: number;
  /** An identity token, if one was asked for and given. */
  refreshToken: string | undefined;
}

/** What a Bearer challenge asks for. */
export interface TokenScope {
  realm: string;
  service: string | undefined;
  /** Space-separated, such as `repository:library/alpine:pull`. */
  scope: string;
}

export interface TokenRequest {
  transport: Transport;
  /** Origin of the registry. */
  registry: URL;
  /** Checked: see realmUrl(). */
  realm: URL;
  scope: TokenScope;
  /** Only where the realm may see it. */
  credentials: Credentials | undefined;
  /** Ask for an identity token as well, to keep in place of the password. */
  offline?: boolean | undefined;
  purpose: Purpose;
  timing: Timing;
  signal: AbortSignal;
}

/**
 * What to ask for, from a Bearer challenge; without a scope it is to pull `repository`, or nothing in particular where
 * there is none. undefined: it has no realm.
 */
export function tokenScope({ parameters }: Challenge, repository: string): TokenScope | undefined {
  const realm = parameters.get('realm');
  const scope = parameters.get('scope');
  if (realm === undefined || realm === '') return undefined;
  const isGiven = scope !== undefined && scope !== '';
  const own = repository === '' ? '' : `repository:${repository}:pull`;
  return { realm, service: parameters.get('service'), scope: isGiven ? scope : own };
}

/**
 * Asks for a token, once. Throws StatusError, NetworkError, ERR_LIMIT, or ERR_AUTH for an answer without a token.
 * https://distribution.github.io/distribution/spec/auth/token/ and …/spec/auth/oauth/
 */
export async function requestToken(request: TokenRequest): Promise<Token> {
  const { transport, registry, purpose, timing, signal } = request;
  const { action } = purpose;
  const followed = await follow(transport, { action, registry, signal, ...messageFor(request) });
  if (followed.response.status !== 200) {
    const failure = await readFailure(followed);
    throw statusError(
      { ...failure, isForeign: false },
      { ...purpose, kind: purpose.kind === 'login' ? 'login' : 'token' },
      timing.date(),
    );
  }
  if (followed.isForeign && purpose.kind === 'login') {
    followed.response.discard();
    throw new ToolError('ERR_AUTH', `Cannot ${action}: ${printable(request.realm.host)} redirects to another host`);
  }
  return parseToken(await readLimited(followed.response, MAX_ANSWER), request);
}

type Message = Pick<FollowRequest, 'method' | 'url' | 'headers' | 'body' | 'authorization'>;

function messageFor({ realm, scope: { service, scope }, credentials, offline = false }: TokenRequest): Message {
  const scopes = scope.split(/\s+/).filter((one) => one !== '');
  const headers = { accept: 'application/json' };
  if (credentials?.kind === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: CLIENT_ID,
      refresh_token: credentials.token,
      scope: scopes.join(' '),
      ...(service !== undefined && { service }),
    });
    const type = 'application/x-www-form-urlencoded';
    return { method: 'POST', url: realm, headers: { ...headers, 'content-type': type }, body: form.toString() };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const one of scopes) url.searchParams.append('scope', one);
  if (credentials?.kind !== 'password') return { method: 'GET', url, headers };
  const { username, password } = credentials;
  if (offline) {
    for (const [name, value] of Object.entries({ account: username, client_id: CLIENT_ID, offline_token: 'true' })) {
      url.searchParams.set(name, value);
    }
  }
  return { method: 'GET', url, headers, authorization: basicAuthorization(username, password) };
}

function parseToken(body: Uint8Array, { realm, purpose, timing }: TokenRequest): Token {
  const answer = parseObject(body);
  const value = [answer['token'], answer['access_token']].find((one) => typeof one === 'string' && one !== '');
  // Not a character more than a header can carry: a token is pasted into one.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new ToolError('ERR_AUTH', `Cannot ${purpose.action}: ${printable(realm.host)} answered without a token`);
  }
  const life = answer['expires_in'];
  const seconds = typeof life === 'number' && life > MIN_LIFE_S ? life : MIN_LIFE_S;
  const refreshToken = answer['refresh_token'];
  return {
    value,
    expiresAt: timing.now() + seconds * 1000,
    refreshToken: typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : undefined,
  };
}

function parseObject(body: Uint8Array): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof answer === 'object' && answer !== null ? { ...answer } : {};
  } catch {
    return {};
  }
}
