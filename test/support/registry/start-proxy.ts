import { createServer, request as sendRequest } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';

export interface TestProxyOptions {
  /** `host:port` as asked for -> `host:port` to connect to. What is not in it gets 502. */
  routes: Record<string, string>;
  /** Proxy-Authorization that is wanted; 407 without it. */
  authorization?: string;
}

export interface TestProxy {
  readonly url: string;
  /** `CONNECT host:port` or `GET http://…`, with the Proxy-Authorization that came. */
  readonly log: Array<{ line: string; authorization: string | undefined }>;
  close(): Promise<void>;
}

/** An HTTP proxy on the loopback: CONNECT, and absolute URLs for plain HTTP. */
export async function startProxy({ routes, authorization }: TestProxyOptions): Promise<TestProxy> {
  const log: TestProxy['log'] = [];
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const route = (hostPort: string): { host: string; port: number } | undefined => {
    const target = routes[hostPort];
    return target === undefined
      ? undefined
      : { host: target.replace(/:\d+$/, ''), port: Number(target.replace(/^.*:/, '')) };
  };

  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    log.push({ line, authorization: request.headers['proxy-authorization'] });
    const url = new URL(request.url ?? '/', 'http://none');
    const target = route(url.port === '' ? `${url.host}:80` : url.host);
    if (authorization !== undefined && request.headers['proxy-authorization'] !== authorization) {
      response.writeHead(407).end();
      return;
    }
    if (target === undefined) {
      response.writeHead(502).end();
      return;
    }
    const headers = { ...request.headers };
    delete headers['proxy-authorization'];
    const onward = sendRequest(
      { ...target, path: url.pathname + url.search, method: request.method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connection', track);
  server.on('connect', (request, socket: Socket) => {
    log.push({ line: `CONNECT ${request.url}`, authorization: request.headers['proxy-authorization'] });
    if (authorization !== undefined && request.headers['proxy-authorization'] !== authorization) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const target = route(request.url ?? '');
    if (target === undefined) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const onward = connect(target, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    track(onward);
    onward.on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    async close() {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
