import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/** A folder over plain HTTP, on loopback. */
export interface ServedFolder {
  /** With a slash at its end. */
  url: string;
  stop(): void;
}

/** For GET requests of the tests' own; what is not there is 404. */
export async function serveFolder(folder: string): Promise<ServedFolder> {
  const server = createServer(({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://localhost'); // without any `..`
    createReadStream(join(folder, decodeURIComponent(pathname)))
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
