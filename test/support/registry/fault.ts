import type { IncomingMessage, ServerResponse } from 'node:http';

/** Which requests a fault is for. All given conditions must hold. */
export interface FaultMatch {
  method?: string;
  /** Part of the request target (`/v2/x/blobs/sha256:…?query`), or a pattern for it. */
  path?: string | RegExp;
  /** Only requests with (true) or without (false) a Range header. */
  ranged?: boolean;
}

/** What happens to a request. Fields combine: `{ status: 503, headers: { 'retry-after': '2' } }`, `{ ignoreRange: true, resetAfter: 10 }`. */
export interface Fault extends FaultMatch {
  /** How many matching requests it applies to; 1 when left out. */
  times?: number;
  /** How many matching requests are let through before. */
  after?: number;
  status?: number;
  /** Laid over the headers of the regular answer; null takes one away, an array sends it several times. */
  headers?: Record<string, string | string[] | null>;
  /** Instead of the regular body. Content-Length follows unless `headers` says otherwise. */
  body?: string | Uint8Array;
  /** How the end of the body is told; Content-Length when left out. */
  framing?: 'chunked' | 'close';
  /** Answer with the whole body and 200 although a Range was asked for. */
  ignoreRange?: true;
  /** Break the connection (RST) after so many bytes of the body; 0 is after the head. */
  resetAfter?: number;
  /** Close the connection in order (FIN) after so many bytes of the body, whatever the head promised. */
  endAfter?: number;
  /** Stop sending after so many bytes of the body and keep the connection open. */
  stallAfter?: number;
  /** Break the connection before the head ('reset'), or accept and stay silent ('silence'). */
  connection?: 'reset' | 'silence';
  /** Bytes for the socket in place of the whole answer, which is then closed in order. */
  raw?: string | Uint8Array;
  /** Full control; everything else is ignored. */
  handle?: (request: IncomingMessage, response: ServerResponse) => void;
}

export interface FaultScript {
  /** The first fault added that matches and is not used up applies. Returns itself. */
  add(...faults: Fault[]): FaultScript;
  clear(): void;
  /** How many faults are waiting for a request. */
  readonly pending: number;
  /** Takes the fault for this request. */
  take(request: IncomingMessage): Fault | undefined;
}

export function createFaultScript(): FaultScript {
  let waiting: Array<{ fault: Fault; skip: number; left: number }> = [];
  const script: FaultScript = {
    add(...faults) {
      waiting.push(...faults.map((fault) => ({ fault, skip: fault.after ?? 0, left: fault.times ?? 1 })));
      return script;
    },
    clear() {
      waiting = [];
    },
    get pending() {
      return waiting.length;
    },
    take(request) {
      const found = waiting.find((entry) => matches(entry.fault, request) && (entry.skip === 0 || entry.skip-- < 0));
      if (found === undefined) return undefined;
      found.left -= 1;
      if (found.left <= 0) waiting = waiting.filter((entry) => entry !== found);
      return found.fault;
    },
  };
  return script;
}

function matches(match: FaultMatch, request: IncomingMessage): boolean {
  const target = request.url ?? '';
  if (match.method !== undefined && match.method !== request.method) return false;
  if (match.ranged !== undefined && match.ranged !== (request.headers.range !== undefined)) return false;
  if (match.path === undefined) return true;
  return typeof match.path === 'string' ? target.includes(match.path) : match.path.test(target);
}
