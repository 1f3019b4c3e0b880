import type { Authorizer } from './authorizer.ts';
import { parseChallenges } from './challenge.ts';
import type { Failure } from './failure.ts';
import { readFailure } from './failure.ts';
import { follow } from './follow.ts';
import type { Purpose } from './status-error.ts';
import type { Transport, TransportResponse } from './transport.ts';

/** One for the first try, one with a token, one more when the challenge changes to another scope. */
const MAX_REQUESTS = 3;

export interface AuthorizedRequest {
  method: 'GET' | 'HEAD';
  url: URL;
  headers: Record<string, string>;
  purpose: Purpose;
  signal?: AbortSignal | undefined;
}

export interface AuthorizedChannel {
  transport: Transport;
  authorizer: Authorizer;
  /** Origin of the registry. */
  registry: URL;
}

export type Fetched = { ok: true; response: TransportResponse } | { ok: false; failure: Failure };

/**
 * Sends a request to the registry, follows redirects, and answers its challenges. `ok` for status 200 and 206.
 * A challenge of a host that a redirect led to is a failure: it gets neither token nor login.
 */
export async function fetchAuthorized(channel: AuthorizedChannel, request: AuthorizedRequest): Promise<Fetched> {
  const { transport, authorizer, registry } = channel;
  const { purpose, signal } = request;
  const { action } = purpose;
  const asking = { registry, purpose, signal };
  const tried = new Set<string>();
  let authorization = await authorizer.current(asking);
  for (let sent = 1; ; sent += 1) {
    const { method, url, headers } = request;
    const followed = await follow(transport, { method, url, headers, action, registry, signal, authorization });
    const { status } = followed.response;
    if (status === 200 || status === 206) return { ok: true, response: followed.response };
    // Read to its end before the token is fetched: it may need the same connection.
    const failure = await readFailure(followed);
    const challenges = isChallenge(failure) ? parseChallenges(failure.headers['www-authenticate']) : [];
    const next =
      challenges.length === 0 || sent === MAX_REQUESTS
        ? undefined
        : await authorizer.next({ ...asking, challenges, refused: authorization, tried });
    if (next === undefined) {
      return {
        ok: false,
        failure: { ...failure, withoutLogin: authorizer.withoutLogin(purpose.reference.repository) },
      };
    }
    authorization = next;
  }
}

/** 401, or a 403 that asks for a token with more rights (RFC 6750, 3.1). */
function isChallenge({ status, isForeign, headers }: Failure): boolean {
  if (isForeign) return false;
  return (
    status === 401 || (status === 403 && /insufficient_scope/.test([headers['www-authenticate'] ?? ''].flat().join()))
  );
}
