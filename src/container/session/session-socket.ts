import { chmodSync, closeSync, constants, openSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { hasErrno } from '../../fs/disk-error.ts';
import { O } from '../../linux/path-flags.ts';

// A socket's path has 107 bytes at most, and those of stores are longer: it is reached through a descriptor of its folder.
const pathThrough = (folder: number): string => `/proc/self/fd/${folder}/socket`;

/**
 * Takes in clients on a socket in a container's folder. The folder and the socket are open to the user alone, by their modes: whoever
 * can connect is that user, or root.
 * @returns what ends it; undefined where the file system knows no sockets
 */
export function listenInFolder(folder: string, onClient: (stream: Socket) => void): (() => void) | undefined {
  const descriptor = openFolder(folder);
  const path = pathThrough(descriptor);
  const server = createServer(onClient);
  server.on('error', () => undefined); // seen below: it is not there
  server.listen(path);
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    closeSync(descriptor);
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  return () => {
    server.close(); // deletes the socket
    closeSync(descriptor);
  };
}

/** Undefined if there is none, or nobody behind it. */
export async function connectInFolder(folder: string): Promise<Socket | undefined> {
  let descriptor: number;
  try {
    descriptor = openFolder(folder);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return await new Promise((resolve, reject) => {
      const socket = connect(pathThrough(descriptor), () => {
        socket.off('error', reject);
        resolve(socket);
      });
      socket.once('error', reject);
    });
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ECONNREFUSED')) return undefined;
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function openFolder(path: string): number {
  return openSync(path, O.PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}
