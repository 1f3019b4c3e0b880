import { printable } from '../printable.ts';
import { hopProblem } from './hop-problem.ts';
import { NetworkError } from './retry.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface FollowRequest extends Omit<TransportRequest, 'isOwn'> {
  /** The registry's origin: where it may go without its address being checked. */
  registry: URL;
  /** Sent to the origin of `url` only, and no more once that has been left. */
  authorization?: string | undefined;
}

export interface Followed {
  response: TransportResponse;
  /** A redirect led to another origin: the answer is not the registry's, nor are its challenges. */
  isForeign: boolean;
}

/**
 * Sends a request and follows up to 5 redirects. A POST is not redirected: its body carries a secret.
 * Throws NetworkError for a redirect that leads nowhere or where it must not.
 */
export async function follow(transport: Transport, request: FollowRequest): Promise<Followed> {
  const { registry, authorization, ...rest } = request;
  let url = request.url;
  let isForeign = false;
  for (let hops = 0; ; hops += 1) {
    const isOwn = url.origin === registry.origin;
    const headers = {
      ...(isOwn && !isForeign && transport.ownHeaders),
      ...rest.headers,
      ...(authorization !== undefined && !isForeign && { authorization }),
    };
    const response = await transport.send({ ...rest, url, headers, isOwn });
    if (!REDIRECTS.has(response.status) || request.method === 'POST') return { response, isForeign };
    response.discard();
    if (hops === MAX_REDIRECTS) throw refused(request, `redirects more than ${MAX_REDIRECTS} times`);
    const next = nextUrl(response, url);
    if (typeof next === 'string') throw refused(request, `redirects to nowhere: ${next}`);
    const problem = hopProblem(url, next, { registry, ownReach: transport.ownReach() });
    if (problem !== undefined) throw refused(request, `redirects to where it must not: ${problem}`);
    isForeign ||= next.origin !== url.origin;
    url = next;
  }
}

function nextUrl(response: TransportResponse, base: URL): URL | string {
  const { location } = response.headers;
  if (location === undefined || location === '') return 'no Location was sent';
  return URL.parse(location, base.href) ?? `"${printable(location)}" is not a URL`;
}

function refused(request: FollowRequest, text: string): NetworkError {
  return new NetworkError(`Cannot ${request.action}: ${printable(request.url.host)} ${text}`, {
    problem: 'forbidden',
    advice: { retry: 'never' },
  });
}
