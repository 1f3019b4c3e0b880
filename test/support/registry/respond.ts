import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Content } from './content.ts';
import type { Fault } from './fault.ts';
import { contentSize, readContent } from './content.ts';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  content: Content;
  /** Range requests are honoured. */
  ranges?: boolean;
}

/** Sends `answer`, bent as `fault` says. Never throws: a client that hangs up is what tests are about. */
export async function respond(request: IncomingMessage, response: ServerResponse, answer: Answer, fault: Fault) {
  if (fault.connection === 'silence') return;
  if (fault.connection === 'reset') return void request.socket.resetAndDestroy();
  if (fault.raw !== undefined) return void request.socket.end(fault.raw);
  const { status, headers, content, start, end } = bend(request, answer, fault);
  for (const [name, value] of Object.entries(headers)) if (value !== null) response.setHeader(name, value);
  if (fault.framing !== undefined) response.removeHeader('content-length');
  if (fault.framing === 'close') {
    response.setHeader('connection', 'close');
    response.removeHeader('transfer-encoding');
  }
  response.writeHead(status);
  if (request.method === 'HEAD' || status === 304) return void response.end();
  const limit = fault.resetAfter ?? fault.endAfter ?? fault.stallAfter ?? Infinity;
  response.flushHeaders();
  await sendBody(response, readContent(content, start), Math.min(limit, end - start));
  if (fault.stallAfter !== undefined) return;
  if (fault.resetAfter !== undefined) return void (await flushed(response), request.socket.resetAndDestroy());
  if (fault.endAfter !== undefined) return void (await flushed(response), request.socket.end());
  response.end();
}

interface Bent {
  status: number;
  headers: Record<string, string | string[] | null>;
  content: Content;
  start: number;
  end: number;
}

function bend(request: IncomingMessage, answer: Answer, fault: Fault): Bent {
  const content = fault.body === undefined ? answer.content : Buffer.from(fault.body);
  const size = contentSize(content);
  const isRanged = answer.ranges === true && fault.ignoreRange !== true && fault.status === undefined;
  const first = isRanged ? /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') : null;
  const start = first === null ? 0 : Number(first[1]);
  const end = first?.[2] ? Math.min(Number(first[2]) + 1, size) : size;
  if (first !== null && start >= size) {
    const headers = { ...answer.headers, 'content-range': `bytes */${size}`, 'content-length': '0', ...fault.headers };
    return { status: 416, headers, content: new Uint8Array(0), start: 0, end: 0 };
  }
  return {
    status: fault.status ?? (first === null ? answer.status : 206),
    headers: {
      ...answer.headers,
      'content-length': String(end - start),
      ...(first === null ? {} : { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
      ...fault.headers,
    },
    content,
    start,
    end,
  };
}

async function sendBody(
  response: ServerResponse,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limit: number,
): Promise<void> {
  let left = limit;
  for await (const chunk of chunks) {
    if (left <= 0 || response.destroyed) return;
    const part = chunk.subarray(0, left);
    left -= part.byteLength;
    if (part.byteLength > 0 && !response.write(part)) await writable(response);
  }
}

/** Resolves when the response takes more, or is gone. */
async function writable(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** Waits until what was written is with the kernel, so that the other side sees it before the connection goes. */
async function flushed(response: ServerResponse): Promise<void> {
  const socket = response.socket;
  if (socket === null || socket.destroyed) return;
  await new Promise<void>((resolve) => void socket.write('', () => resolve()));
}
