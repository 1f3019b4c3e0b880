import { STATUS_CODES } from 'node:http';
import { familiarName, familiarReference } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import { printable } from '../printable.ts';
import { parseChallenges } from './challenge.ts';
import type { Failure } from './failure.ts';
import { redactUrl } from './redact-url.ts';
import { parseRetryAfter } from './retry-after.ts';
import type { RetryAdvice } from './retry.ts';
import { StatusError } from './retry.ts';

/** What a request is for: decides the words of its errors. */
export interface Purpose {
  /** `pull "alpine:latest"`, `download "sha256:…"`. */
  action: string;
  reference: Reference;
  kind: 'manifest' | 'blob' | 'token' | 'login';
  /** What `login` has to be given for the host that is asked, where that is not the reference's registry: a mirror. */
  loginName?: string | undefined;
}

// Timeout, too early, too many, and what a server or the gateway before it says of its own state.
const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const DENIED = 'denied: requested access to the resource is denied';

/**
 * The error for an answer that is not the wanted one, in Docker's words where it has some.
 * `date`: milliseconds since 1970, for Retry-After.
 */
export function statusError(failure: Failure, purpose: Purpose, date: number): StatusError {
  const { method, url, status } = failure;
  const detail = describe(failure);
  if (isDenied(failure)) return (purpose.kind === 'login' ? loginDenied : accessDenied)(detail, purpose, failure);
  const advice = adviceFor(failure, date);
  return new StatusError(messageFor(failure, purpose, detail), { method, url: redactUrl(url), status, advice });
}

/** The error for a repository that does not let us in. */
function accessDenied(detail: string, { reference, loginName }: Purpose, failure: Failure): StatusError {
  const { method, url, status, withoutLogin } = failure;
  const asked = loginName ?? reference.registry;
  const host = asked === 'docker.io' ? '' : ` ${printable(asked)}`;
  const hint =
    withoutLogin ??
    `If it is private, log in with 'mydocker login${host}'; what 'docker login' stored is used as well.`;
  return new StatusError(
    `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${detail}`,
    { method, url: redactUrl(url), status, advice: { retry: 'never' } },
    { hint },
  );
}

/** The error for a login that is wrong; servers that say so in no more than general words are helped out with Docker Hub's. */
function loginDenied(detail: string, { action }: Purpose, { method, url, status, problem }: Failure): StatusError {
  const isGeneral = problem === undefined || /^(?:authentication required|unauthorized)?$/i.test(problem.message);
  return new StatusError(`Cannot ${action}: ${isGeneral ? 'unauthorized: incorrect username or password' : detail}`, {
    method,
    url: redactUrl(url),
    status,
    advice: { retry: 'never' },
  });
}

/** A 403 without a registry's error in it comes from something before the registry. */
function isDenied({ status, isForeign, problem }: Failure): boolean {
  if (isForeign) return false;
  return status === 401 || (status === 403 && (problem?.code === 'DENIED' || problem?.code === 'UNAUTHORIZED'));
}

function messageFor(failure: Failure, purpose: Purpose, detail: string): string {
  const { status, problem, isForeign, url } = failure;
  if (status === 429) {
    const said = problem === undefined || problem.message === '' ? detail : printable(problem.message);
    return `toomanyrequests: ${said}${rateLimit(failure)}`;
  }
  if (status === 404 && !isForeign && purpose.kind === 'manifest') {
    if (problem?.code === 'NAME_UNKNOWN') return `repository ${familiarName(purpose.reference)} not found: ${detail}`;
    return `manifest for ${familiarReference(purpose.reference)} not found: ${problem === undefined ? 'manifest unknown: ' : ''}${detail}`;
  }
  const answer = problem === undefined ? detail : `${answered(failure)}: ${detail}`;
  return `Cannot ${purpose.action}: ${problem === undefined ? answer : `${printable(url.host)} ${answer}`}`;
}

/** The registry's own words, `denied: requested access …`; without any, what it answered. */
function describe(failure: Failure): string {
  const { headers, problem, status, text, url } = failure;
  if (status === 401 && parseChallenges(headers['www-authenticate']).some(isScopeLacking)) return DENIED;
  if (problem !== undefined) {
    const code = problem.code.toLowerCase().replaceAll('_', ' ');
    return printable([code, problem.message].filter((part) => part !== '').join(': '));
  }
  return `${printable(url.host)} ${answered(failure)}${text === '' ? '' : `: ${printable(text)}`}`;
}

function isScopeLacking({ parameters }: { parameters: ReadonlyMap<string, string> }): boolean {
  return parameters.get('error') === 'insufficient_scope';
}

function answered({ status }: Failure): string {
  return `answered ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
}

/** Docker Hub says `ratelimit-limit: 100;w=21600`: so many pulls in so many seconds. */
function rateLimit({ headers }: Failure): string {
  const match = /^(\d{1,9})(?:;w=(\d{1,9}))?/.exec(single(headers['ratelimit-limit']));
  if (match === null) return '';
  return ` (limit: ${match[1]}${match[2] === undefined ? '' : ` in ${Number(match[2]) / 3600} h`})`;
}

function adviceFor({ status, headers }: Failure, date: number): RetryAdvice {
  const isTransient = TRANSIENT.has(status) || (status > 505 && status < 600);
  // A quota that is used up is counted in hours: waiting here would only delay the message.
  const isUsedUp = status === 429 && /^0\b/.test(single(headers['ratelimit-remaining']));
  if (!isTransient || isUsedUp) return { retry: 'never' };
  return { retry: 'later', afterMs: parseRetryAfter(headers['retry-after'], date) };
}

function single(header: string | string[] | undefined): string {
  return [header ?? ''].flat()[0] ?? '';
}
