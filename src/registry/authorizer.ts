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
  /** host:port of a token server that was asked without the login that there may be. */
  withheldFrom(repository: string): string | undefined;
}

interface Entry {
  token?: Token | undefined;
  pending?: Promise<Token> | undefined;
}

interface State {
  settings: AuthorizerSettings;
  /** Basic, once the registry asked for it. */
  basic: string | undefined;
  login: Promise<Credentials | undefined> | undefined;
  /** What each repository's last Bearer challenge asked for. */
  scopes: Map<string, TokenScope>;
  tokens: Map<string, Entry>;
  withheld: Map<string, string>;
}

export function createAuthorizer(settings: AuthorizerSettings): Authorizer {
  const state: State = {
    settings,
    basic: undefined,
    login: undefined,
    scopes: new Map(),
    tokens: new Map(),
    withheld: new Map(),
  };
  return {
    withheldFrom: (repository) => state.withheld.get(repository),
    async current(asking) {
      const scope = state.scopes.get(asking.purpose.reference.repository);
      return scope === undefined ? state.basic : bearer(state, scope, { ...asking, refused: undefined });
    },
    async next(refusal) {
      const { challenges, purpose, tried, refused } = refusal;
      const { repository } = purpose.reference;
      const challenge = challenges.find(({ scheme }) => scheme === 'bearer');
      const scope = challenge === undefined ? undefined : tokenScope(challenge, repository);
      if (scope !== undefined) {
        if (tried.has(keyOf(scope))) return undefined;
        tried.add(keyOf(scope));
        state.scopes.set(repository, scope);
        return bearer(state, scope, refusal);
      }
      if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
      const login = await orAborted(loginOf(state), purpose.action, refusal.signal);
      if (login?.kind !== 'password') return undefined;
      state.basic = basicAuthorization(login.username, login.password);
      return state.basic === refused ? undefined : state.basic;
    },
  };
}

/** A token for `scope` other than the refused one. Requests that want it at the same time share one exchange. */
async function bearer(
  state: State,
  scope: TokenScope,
  asking: Asking & { refused: string | undefined },
): Promise<string> {
  const entry = state.tokens.get(keyOf(scope)) ?? {};
  state.tokens.set(keyOf(scope), entry);
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
  const realm = realmUrl(scope.realm, { registry, ownReach: transport.ownReach(), action: purpose.action });
  const isTrusted = mayReceiveLogin(realm, { registry, registryName, tokenServers });
  if (!isTrusted) state.withheld.set(purpose.reference.repository, realm.host);
  const credentials = isTrusted ? await loginOf(state) : undefined;
  return requestToken({ transport, registry, realm, scope, credentials, purpose, timing, signal: closed });
}

/** Asked once: a helper may start a program or show a window. A failure is not kept. */
async function loginOf(state: State): Promise<Credentials | undefined> {
  const { credentials, registryName, closed } = state.settings;
  state.login ??= credentials(registryName, closed);
  state.login.catch(() => (state.login = undefined));
  return state.login;
}

function header({ value }: Token): string {
  return `Bearer ${value}`;
}

function keyOf({ realm, service, scope }: TokenScope): string {
  return JSON.stringify([realm, service ?? null, scope]);
}
