import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';

/** One request that went through the proxy, as it was when its answer's head came back. */
export interface RecordedRequest {
  method: string;
  /** Path and query. */
  url: string;
  range: string | undefined;
  status: number;
}

/** A proxy in front of a registry that writes down the requests, and can hold back the rest of a blob. */
export interface RecordingProxy {
  host: string;
  requests: RecordedRequest[];
  /** From now on answers to requests for blobs stop after so many bytes, until `release`. */
  holdBlobsAfter(bytes: number): void;
  /** Resolves when an answer is being held. */
  held(): Promise<void>;
  release(): void;
  stop(): Promise<void>;
}

export async function startRecordingProxy(upstream: string): Promise<RecordingProxy> {
  const requests: RecordedRequest[] = [];
  const gate = new Gate();
  const server = createServer((incoming, outgoing) => {
    forward(upstream, incoming, outgoing, (answer) => {
      const { method = '', url = '', headers } = incoming;
      requests.push({ method, url, range: headers.range, status: answer.statusCode ?? 0 });
      void gate.pass(answer, outgoing, /\/blobs\//.test(url));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');

  return {
    host: `127.0.0.1:${address.port}`,
    requests,
    holdBlobsAfter: (bytes) => gate.close(bytes),
    held: async () => gate.held,
    release: () => gate.open(),
    async stop() {
      gate.open();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

type OnAnswer = (answer: IncomingMessage) => void;

function forward(upstream: string, incoming: IncomingMessage, outgoing: ServerResponse, onAnswer: OnAnswer): void {
  const { method, url, headers } = incoming;
  const passed = request(
    `http://${upstream}${url ?? ''}`,
    { method, headers: { ...headers, host: upstream } },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      onAnswer(answer);
    },
  );
  passed.on('error', () => outgoing.destroy());
  outgoing.on('close', () => passed.destroy());
  incoming.pipe(passed);
}

/** Lets bodies through; closed, it stops those of blobs after a number of bytes. */
class Gate {
  held: Promise<void> = Promise.resolve();
  #limit = Infinity;
  #onHeld: () => void = () => undefined;
  #opened: Promise<void> = Promise.resolve();
  #onOpened: () => void = () => undefined;

  close(bytes: number): void {
    this.#limit = bytes;
    this.held = new Promise((resolve) => (this.#onHeld = resolve));
    this.#opened = new Promise((resolve) => (this.#onOpened = resolve));
  }

  open(): void {
    this.#limit = Infinity;
    this.#onOpened();
  }

  async pass(answer: IncomingMessage, outgoing: ServerResponse, isBlob: boolean): Promise<void> {
    let sent = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        const free = isBlob ? Math.max(0, this.#limit - sent) : Infinity;
        outgoing.write(chunk.subarray(0, free));
        sent += chunk.length;
        if (chunk.length <= free) continue;
        this.#onHeld();
        await this.#opened;
        outgoing.write(chunk.subarray(free));
      }
      outgoing.end();
    } catch {
      outgoing.destroy(); // the other side went away
    }
  }
}
