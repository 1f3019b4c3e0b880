import type { IncomingHttpHeaders } from 'node:http';
import type { Followed } from './follow.ts';
import { readSome } from './read-limited.ts';

const MAX_ERROR_BODY = 1024 * 1024; // bytes
const MAX_TEXT = 200; // characters of a text body that are kept

/** One entry of a registry's `errors`: `{ code: 'DENIED', message: 'requested access …' }`. Both are outside text. */
export interface RegistryProblem {
  code: string;
  message: string;
}

/** An answer that is not the wanted one, read to its end. */
export interface Failure {
  method: string;
  url: URL;
  status: number;
  headers: IncomingHttpHeaders;
  /** It came from another origin than the registry's. */
  isForeign: boolean;
  problem: RegistryProblem | undefined;
  /** Start of a body that is plain text. */
  text: string;
  /** Why the request went without the login that there may be, a sentence. */
  withoutLogin?: string | undefined;
}

/** Reads the body of an unwanted answer, up to 1 MiB. */
export async function readFailure({ response, isForeign }: Followed): Promise<Failure> {
  const { request, status, headers } = response;
  const body = Buffer.from(await readSome(response, MAX_ERROR_BODY)).toString();
  const isText = /^text\/plain\b/i.test(headers['content-type'] ?? '');
  return {
    method: request.method,
    url: request.url,
    status,
    headers,
    isForeign,
    problem: parseProblem(body),
    text: isText ? body.trim().slice(0, MAX_TEXT) : '',
  };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
function parseProblem(body: string): RegistryProblem | undefined {
  try {
    const document = JSON.parse(body) as { errors?: unknown } | null;
    const first: unknown = Array.isArray(document?.errors) ? document.errors[0] : undefined;
    if (typeof first !== 'object' || first === null) return undefined;
    const { code, message } = first as { code?: unknown; message?: unknown };
    if (typeof code !== 'string' && typeof message !== 'string') return undefined;
    return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' };
  } catch {
    return undefined; // no JSON: the error page of a proxy or a storage
  }
}
