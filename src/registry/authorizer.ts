import { printable } from '../printable.ts';
import { orAborted } from './aborted.ts';
import type { Challenge } from './challenge.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import { basicAuthorization } from './credentials.ts';
import { mayReceiveLogin, realmUrl } from './realm.ts';
import type { Purpose } from './status-error.ts';
import type { Timing } from './timing.ts';
import type { Token, TokenScope } from './token-request.ts';
import { requestToken, tokenScope } from './token-request.ts';
import type { Transport } from './transport.ts';

export interface AuthorizerSettings {
  transport: Transport;
  /** As in references: `docker.io`. */
  registryName: string;
  credentials: CredentialSource;
  /** Registry -> origin of the token server that may see its logins. */
  tokenServers: Readonly<Record<string, string>>;
  timing: Timing;
  /** Aborts when the client is closed: work that several requests share hangs on none of their signals. */
  closed: AbortSignal;
}

export interface Asking {
  /** Origin of the registry. */
  registry: URL;
  purpose: Purpose;
  signal?: AbortSignal | undefined;
}

/** What a registry's refusal came with. */
export interface Refusal extends Asking {
  challenges: Challenge[];
  /** The header that was refused; undefined if none was sent. */
  refused: string | undefined;
  /** Token scopes fetched for this request already: a fresh token that is refused is not fetched again. */
  tried: Set<string>;
}

/** The logins and tokens of one registry, kept as long as the client. */
export interface Authorizer {
  /** The Authorization header that worked for this repository before; undefined: try without. */
  current(asking: Asking): Promise<string | undefined>;
  /** Another header to try after a refusal; undefined: there is none, the refusal stands. */
  next(refusal: Refusal): Promise<string | undefined>;
  /** Why requests for this repository went without the login that there may be, a sentence. */
  withoutLogin(repository: string): string | undefined;
}

interface Entry {
  token?: Token | undefined;
  pending?: Promise<Token> | undefined;
}

interface State {
  settings: AuthorizerSettings;
  // All by repository: logins can be for a part of a registry.
  logins: Map<string, Promise<Credentials | undefined>>;
  /** Headers that hold the login itself, Basic or a registry token, once the registry asked for it. */
  fixed: Map<string, string>;
  /** What the last Bearer challenge asked for. */
  scopes: Map<string, TokenScope>;
  withheld: Map<string, string>;
  tokens: Map<string, Entry>;
}

export function createAuthorizer(settings: AuthorizerSettings): Authorizer {
  const state: State = {
    settings,
    logins: new Map(),
    fixed: new Map(),
    scopes: new Map(),
    withheld: new Map(),
    tokens: new Map(),
  };
  return {
    withoutLogin: (repository) => state.withheld.get(repository),
    async current(asking) {
      const { repository } = asking.purpose.reference;
      const scope = state.scopes.get(repository);
      if (scope === undefined) return state.fixed.get(repository);
      return bearer(state, scope, { ...asking, refused: undefined });
    },
    async next(refusal) {
      const { challenges, purpose, tried, refused, signal } = refusal;
      const { repository } = purpose.reference;
      const challenge = challenges.find(({ scheme }) => scheme === 'bearer');
      const scope = challenge === undefined ? undefined : tokenScope(challenge, repository);
      if (scope === undefined && !challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
      const login = await orAborted(loginOf(state, repository), purpose.action, signal);
      const fixed = fixedHeader(login, scope === undefined ? 'basic' : 'bearer');
      if (fixed !== undefined) {
        state.scopes.delete(repository);
        state.fixed.set(repository, fixed);
        return fixed === refused ? undefined : fixed;
      }
      if (scope === undefined || tried.has(keyOf(scope))) return undefined;
      tried.add(keyOf(scope));
      state.scopes.set(repository, scope);
      return bearer(state, scope, refusal);
    },
  };
}

/** The header that holds the login itself, where the registry takes it so. */
function fixedHeader(login: Credentials | undefined, scheme: 'basic' | 'bearer'): string | undefined {
  if (scheme === 'bearer') return login?.kind === 'bearer' ? header({ value: login.token }) : undefined;
  return login?.kind === 'password' ? basicAuthorization(login.username, login.password) : undefined;
}

/** A token for `scope` other than the refused one. Requests that want it at the same time share one exchange. */
async function bearer(
  state: State,
  scope: TokenScope,
  asking: Asking & { refused: string | undefined },
): Promise<string> {
  const key = JSON.stringify([asking.purpose.reference.repository, keyOf(scope)]);
  const entry = state.tokens.get(key) ?? {};
  state.tokens.set(key, entry);
  const { token } = entry;
  if (token !== undefined && token.expiresAt > state.settings.timing.now() && header(token) !== asking.refused) {
    return header(token);
  }
  entry.pending ??= fetchToken(state, scope, asking).then(
    (fresh) => {
      entry.token = fresh;
      entry.pending = undefined;
      return fresh;
    },
    (error: unknown) => {
      entry.pending = undefined;
      throw error;
    },
  );
  return header(await orAborted(entry.pending, asking.purpose.action, asking.signal));
}

async function fetchToken(state: State, scope: TokenScope, { registry, purpose }: Asking): Promise<Token> {
  const { transport, timing, closed, registryName, tokenServers } = state.settings;
  const { repository } = purpose.reference;
  const realm = realmUrl(scope.realm, { registry, ownReach: transport.ownReach(), action: purpose.action });
  const isTrusted = mayReceiveLogin(realm, { registry, registryName, tokenServers });
  if (!isTrusted) state.withheld.set(repository, withheldFrom(realm, registryName));
  const credentials = isTrusted ? await loginOf(state, repository) : undefined;
  return requestToken({ transport, registry, realm, scope, credentials, purpose, timing, signal: closed });
}

function withheldFrom(realm: URL, registryName: string): string {
  return `Logins for ${registryName} were not sent to its token server ${printable(realm.host)}, which is another host.`;
}

/** Asked once: a helper may start a program or show a window. A failure is not kept. */
async function loginOf(state: State, repository: string): Promise<Credentials | undefined> {
  const { credentials, registryName, closed } = state.settings;
  const login = state.logins.get(repository) ?? credentials(registryName, closed, repository);
  state.logins.set(repository, login);
  try {
    const found = await login;
    if (found?.kind === 'none') state.withheld.set(repository, found.because);
    return found;
  } catch (error) {
    state.logins.delete(repository);
    throw error;
  }
}

function header({ value }: Pick<Token, 'value'>): string {
  return `Bearer ${value}`;
}

function keyOf({ realm, service, scope }: TokenScope): string {
  return JSON.stringify([realm, service ?? null, scope]);
}
