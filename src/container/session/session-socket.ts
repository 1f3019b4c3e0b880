import { chmodSync, closeSync, constants, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { ToolError } from '../../errors.ts';
import { hasErrno } from '../../fs/disk-error.ts';
import { O } from '../../linux/path-flags.ts';
import { peerProcess, sharesMounts } from '../../linux/peer-process.ts';

// A socket's path has 107 bytes at most, and those of stores are longer: it is reached through a descriptor of its folder.
const pathThrough = (folder: number): string => `/proc/self/fd/${folder}/socket`;

/**
 * Takes in clients on a socket in a container's folder. The folder and the socket are open to the user alone, by their modes; see also
 * `checkClient`.
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

/**
 * Whether a client may be let in: a process of this user that is in no container. One that has the store among its volumes, even
 * read-only, could connect as well, and would type into the others.
 * @throws {ToolError} ERR_HOST
 */
export function checkClient(stream: Socket): void {
  const { _handle: handle } = stream as Socket & { _handle?: { fd: number } | null }; // Node tells it in no other way
  const { pid, uid } = peerProcess(handle?.fd ?? -1);
  if (uid === process.geteuid?.() && sharesMounts(pid)) return;
  throw new ToolError(
    'ERR_HOST',
    'Cannot attach: only processes of the same user, and with the same mounts, may attach',
  );
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
