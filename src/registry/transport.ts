import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { abortedError, throwIfAborted } from './aborted.ts';
import type { Reach } from './address.ts';
import type { DispatcherSettings } from './dispatchers.ts';
import { createDispatchers } from './dispatchers.ts';
import { freeReadBuffers } from './free-read-buffers.ts';
import { networkError } from './network-error.ts';
import type { RateLimits } from './watch-rate.ts';
import { errors } from './undici.ts';
import { watchRate } from './watch-rate.ts';
import type { Timing } from './timing.ts';

const MAX_DISCARDED = 64 * 1024; // bytes; to read more costs more than a new connection
const MAX_INFORMATIONAL = 100; // answers with a status below 200 before the answer itself
const READ_AHEAD = 512 * 1024; // bytes that one body may hold while whoever reads it is busy

export interface TransportRequest {
  method: 'GET' | 'HEAD' | 'POST';
  url: URL;
  /** The registry's own host; other hosts must not lie further inside than it does. */
  isOwn: boolean;
  headers: Readonly<Record<string, string>>;
  body?: string | undefined;
  signal?: AbortSignal | undefined;
  /** What it is for, for errors: `pull "alpine:latest"`. */
  action: string;
}

/** The head of an answer. Its body must be read or discarded, else its connection stays taken. */
export interface TransportResponse {
  request: TransportRequest;
  status: number;
  headers: IncomingHttpHeaders;
  /** The body in chunks of up to READ_AHEAD bytes. Ends with an ERR_NETWORK error if it is cut, or comes too slowly. */
  read(): AsyncGenerator<Uint8Array, void>;
  /** Gives the body up: reads a short rest so that the connection can be used again, or closes it. */
  discard(): void;
}

export interface TransportSettings extends DispatcherSettings {
  userAgent: string;
  ownHeaders: Readonly<Record<string, string>>;
  headersTimeoutMs: number;
  rate: RateLimits;
  timing: Timing;
}

/** Sends single requests: no redirects, no credentials, no second try. */
export interface Transport {
  /** Headers that the user wants the registry's own host to get, and nobody else. */
  readonly ownHeaders: Readonly<Record<string, string>>;
  /** Throws NetworkError when no answer comes, ERR_ABORTED when the signal aborts. */
  send(request: TransportRequest): Promise<TransportResponse>;
  /** Whether anything was answered at the origin of `url`. */
  hasAnswered(url: URL): boolean;
  /** See Dispatchers. */
  ownReach(): Reach;
  close(): Promise<void>;
}

export function createTransport(settings: TransportSettings): Transport {
  const dispatchers = createDispatchers(settings);
  const answered = new Set<string>();
  const reading = { ...settings, onTaken: freeReadBuffers() };
  return {
    ownHeaders: settings.ownHeaders,
    hasAnswered: ({ origin }) => answered.has(origin),
    ownReach: () => dispatchers.ownReach(),
    close: async () => dispatchers.destroy(),
    async send(request) {
      throwIfAborted(request.action, request.signal);
      const { url, signal, action } = request;
      const context = { action, host: url.host, known: answered.has(url.origin) };
      try {
        const dispatcher = await dispatchers.dispatcherFor(url, request.isOwn);
        const response = await dispatcher.request(dispatchOptions(request, settings));
        answered.add(url.origin);
        return wrap(request, response, reading);
      } catch (error) {
        if (signal?.aborted === true) throw abortedError(action, signal);
        throw networkError(dispatchers.causeOf(error), { ...context, answering: false });
      }
    },
  };
}

function dispatchOptions(request: TransportRequest, settings: TransportSettings): Dispatcher.RequestOptions {
  const { method, url, headers, body, signal } = request;
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { 'user-agent': settings.userAgent, 'accept-encoding': 'identity', ...headers },
    body: body ?? null,
    signal: signal ?? null,
    headersTimeout: settings.headersTimeoutMs,
    onInfo: limitInformational(settings),
    bodyTimeout: settings.rate.windowMs,
    reset: false, // undici closes the connection after a HEAD: a new one costs more than a rare retry
    highWaterMark: READ_AHEAD,
  };
}

/** undici's time for the head begins anew with each `103 Early Hints`: a server could keep us waiting for ever. */
function limitInformational({ timing, headersTimeoutMs }: TransportSettings): () => void {
  let count = 0;
  let first: number | undefined;
  return () => {
    count += 1;
    first ??= timing.now();
    if (count > MAX_INFORMATIONAL || timing.now() - first > headersTimeoutMs) throw new errors.HeadersTimeoutError();
  };
}

interface Reading extends Pick<TransportSettings, 'rate' | 'timing'> {
  /** Hears how many bytes of a body its reader has done with. */
  onTaken: (bytes: number) => void;
}

function wrap(
  request: TransportRequest,
  { statusCode, headers, body }: Dispatcher.ResponseData,
  reading: Reading,
): TransportResponse {
  body.on('error', () => undefined); // whoever reads gets it; without a listener Node would end the process
  return {
    request,
    status: statusCode,
    headers,
    read: () => readBody(body, request, reading),
    discard: () => void body.dump({ limit: MAX_DISCARDED }).catch(() => undefined),
  };
}

async function* readBody(
  body: Readable,
  { url, signal, action }: TransportRequest,
  { rate, timing, onTaken }: Reading,
): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of watchRate(body, rate, timing)) {
      yield chunk;
      onTaken(chunk.byteLength);
    }
    // undici lets a connection be used again one turn after the end of its answer: a request that follows at once
    // would open another one, which costs two or three round trips.
    await new Promise(setImmediate);
  } catch (error) {
    if (signal?.aborted === true) throw abortedError(action, signal);
    throw networkError(error, { action, host: url.host, answering: true, known: true });
  }
}
