import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { askRegistry } from './ask-registry.ts';
import type { Authorizer } from './authorizer.ts';
import type { Challenge } from './challenge.ts';
import { parseChallenges } from './challenge.ts';
import type { Credentials, PasswordLogin } from './credentials.ts';
import { basicAuthorization } from './credentials.ts';
import type { Fetched } from './fetch-authorized.ts';
import { mayReceiveLogin, realmUrl } from './realm.ts';
import type { RegistryChannel } from './registry-channel.ts';
import { withRetries } from './retry.ts';
import type { Purpose } from './status-error.ts';
import { statusError } from './status-error.ts';
import type { TokenScope } from './token-request.ts';
import { requestToken, tokenScope } from './token-request.ts';

export interface LoginAttempt {
  /** As in references: `docker.io`. */
  registryName: string;
  login: PasswordLogin;
  /** Registry -> origin of the token server that may see its logins. */
  tokenServers: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

export interface VerifiedLogin {
  /** What to keep: an identity token in place of the password where the token server gave one. */
  keep: Credentials;
  /** The registry asked who is there. One that never asks takes every password for right. */
  isChecked: boolean;
}

interface Attempt extends LoginAttempt {
  channel: RegistryChannel;
  purpose: Purpose;
}

/**
 * Asks a registry whether a login is right, by `GET /v2/` as docker does. Throws ERR_AUTH if it is not, or if the registry's
 * token server is one that logins are not sent to; StatusError, NetworkError, ERR_ABORTED.
 */
export async function verifyLogin(channel: RegistryChannel, given: LoginAttempt): Promise<VerifiedLogin> {
  const { registryName, signal } = given;
  const action = `log in to "${registryName}"`;
  const purpose: Purpose = { action, reference: { registry: registryName, repository: '' }, kind: 'login' };
  const attempt = { ...given, channel, purpose };
  return withRetries(async () => verifyOnce(attempt), { ...channel.retrying, signal, action });
}

async function verifyOnce(attempt: Attempt): Promise<VerifiedLogin> {
  const { login, channel, purpose } = attempt;
  const unasked = await ask(attempt, undefined);
  const challenges = challengesOf(unasked);
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  const scope = bearer === undefined ? undefined : tokenScope(bearer, '');
  if (scope !== undefined) return { keep: await exchange(attempt, scope), isChecked: true };
  const isBasic = challenges.some(({ scheme }) => scheme === 'basic');
  if (!unasked.ok && !isBasic) throw statusError(unasked.failure, purpose, channel.retrying.timing.date());
  // Also where nobody asked: one that lets everybody look may still know a wrong password.
  await accept(attempt, basicAuthorization(login.username, login.password));
  return { keep: login, isChecked: isBasic };
}

/** Gets a token with the login, and shows it to the registry. */
async function exchange(attempt: Attempt, scope: TokenScope): Promise<Credentials> {
  const { channel, purpose, login, registryName, tokenServers, signal } = attempt;
  const { transport, retrying } = channel;
  const registry = channel.endpoint.origin;
  const realm = realmUrl(scope.realm, { registry, ownReach: transport.ownReach(), action: purpose.action });
  if (!mayReceiveLogin(realm, { registry, registryName, tokenServers })) {
    throw new ToolError(
      'ERR_AUTH',
      `Cannot ${purpose.action}: its token server ${printable(realm.host)} is another host, and logins are not sent there`,
    );
  }
  const { timing } = retrying;
  const request = { transport, registry, realm, scope, credentials: login, offline: true, purpose, timing, signal };
  const token = await requestToken(request);
  await accept(attempt, `Bearer ${token.value}`);
  return token.refreshToken === undefined ? login : { kind: 'identity', token: token.refreshToken };
}

/** Throws unless the registry itself takes the header. */
async function accept(attempt: Attempt, authorization: string): Promise<void> {
  const { channel, purpose } = attempt;
  const answer = await ask(attempt, authorization);
  if (!answer.ok) throw statusError(answer.failure, purpose, channel.retrying.timing.date());
  const { origin } = answer.response.request.url;
  if (origin === channel.endpoint.origin.origin) return;
  // The header was not sent there: what that host says is no word about the login.
  throw new ToolError('ERR_AUTH', `Cannot ${purpose.action}: it refers to ${printable(origin)}, which is another host`);
}

async function ask({ channel, purpose, signal }: Attempt, authorization: string | undefined): Promise<Fetched> {
  const authorizer: Authorizer = {
    current: async () => authorization,
    next: async () => undefined,
    withoutLogin: () => undefined,
  };
  const answer = await askRegistry(
    { ...channel, authorizer },
    { method: 'GET', path: '', headers: {}, purpose, signal },
  );
  if (answer.ok) answer.response.discard();
  return answer;
}

function challengesOf(answer: Fetched): Challenge[] {
  if (answer.ok || answer.failure.status !== 401 || answer.failure.isForeign) return [];
  return parseChallenges(answer.failure.headers['www-authenticate']);
}
