import { readSome } from './read-limited.ts';
import { isLoopbackHost, registryUrl } from './registry-url.ts';
import { NetworkError } from './retry.ts';
import type { Transport } from './transport.ts';

const MAX_PING = 16 * 1024; // bytes

export interface EndpointOptions {
  /** Where it is said to be, with the scheme; undefined: where its name says, with a scheme to be found out. */
  origin: URL | undefined;
  /** What stands before `/<repository>/…` in the path of a request: `/v2`. */
  apiRoot: string;
  /** Of a mirror: the registry whose content is wanted. */
  namespace: string | undefined;
  /** As in references: `docker.io`, `localhost:5000`. */
  registryName: string;
  /** The user allows this registry to be asked without TLS. */
  isInsecure: boolean;
  transport: Transport;
}

/** Where a registry is asked. */
export interface Endpoint {
  readonly options: EndpointOptions;
  origin: URL;
  /** false until something was answered there: `origin` is a guess, and findOrigin knows more if it fails. */
  isSure: boolean;
}

export interface Asked {
  /** `pull "alpine:latest"`, for errors. */
  action: string;
  signal?: AbortSignal | undefined;
}

/**
 * https, and nothing else, for all registries but two: this machine by its own name (`localhost`, 127.0.0.0/8, `::1`),
 * where http comes first as most registries there have no TLS; and registries that the user listed as insecure, where
 * https comes first as in Docker. The first request goes to the guess: a right one costs nothing.
 */
export function guessEndpoint(options: EndpointOptions): Endpoint {
  const { origin, registryName, isInsecure } = options;
  if (origin !== undefined) return { options, origin, isSure: true };
  const https = registryUrl(registryName, 'https');
  if (isLoopbackHost(https.hostname)) {
    return { options, origin: registryUrl(registryName, 'http'), isSure: false };
  }
  return { options, origin: https, isSure: !isInsecure };
}

/** The URL of `path` (`library/alpine/manifests/3`). A mirror for several registries learns which one is meant, as by containerd. */
export function apiUrl({ options }: Endpoint, origin: URL, path: string): URL {
  const url = new URL(`${options.apiRoot}/${path}`, origin);
  if (options.namespace !== undefined) url.searchParams.set('ns', options.namespace);
  return url;
}

/**
 * Finds out by `GET /v2/` which of http and https a registry speaks, the guess first.
 * Throws NetworkError if it speaks neither.
 */
export async function findOrigin({ options, origin }: Endpoint, asked: Asked): Promise<URL> {
  const { registryName, transport } = options;
  const found = await probe(transport, origin, asked);
  if (found.speaks === 'yes') return found.origin;
  if (found.speaks === 'no' && !isWrongScheme(found.error, origin)) throw found.error;
  const other = await probe(transport, registryUrl(registryName, isPlain(origin) ? 'https' : 'http'), asked);
  if (other.speaks !== 'no') return other.origin;
  // A bad certificate says more than how plain HTTP went wrong on a TLS port.
  if (other.error.problem === 'certificate') throw other.error;
  if (found.speaks === 'perhaps') return found.origin;
  throw found.error;
}

/** Whether a failure at `tried` may come from speaking TLS to a plain server, or the reverse. */
export function isWrongScheme({ problem }: NetworkError, tried: URL): boolean {
  if (problem === 'broken' || problem === 'protocol' || problem === 'tls') return true;
  // Without a port the two schemes have different ones, and a refusal of the one says nothing of the other.
  return !isPlain(tried) && (problem === 'refused' || problem === 'timeout' || problem === 'proxy');
}

/** What Go's and nginx's TLS servers answer to plain HTTP. */
export function maySpeakTls(status: number, asked: URL): boolean {
  return isPlain(asked) && status === 400;
}

/** `perhaps`: it answers as a TLS server would. */
type Probed =
  { speaks: 'yes'; origin: URL } | { speaks: 'perhaps'; origin: URL } | { speaks: 'no'; error: NetworkError };

async function probe(transport: Transport, origin: URL, asked: Asked): Promise<Probed> {
  try {
    const url = new URL('/v2/', origin);
    const headers = transport.ownHeaders;
    const response = await transport.send({ ...asked, method: 'GET', url, isOwn: true, headers });
    await readSome(response, MAX_PING); // to its end, so that the next request takes the same connection
    return { speaks: maySpeakTls(response.status, origin) ? 'perhaps' : 'yes', origin };
  } catch (error) {
    if (error instanceof NetworkError) return { speaks: 'no', error };
    throw error;
  }
}

function isPlain({ protocol }: URL): boolean {
  return protocol === 'http:';
}
