import { readlinkSync } from 'node:fs';
import { bindLibc } from './libc.ts';

const SOL_SOCKET = 1; // include/uapi/asm-generic/socket.h; the same on x86-64 and arm64
const SO_PEERCRED = 17;

/** Who has connected a unix socket, with the numbers that count for this process: see unix(7). */
export interface PeerProcess {
  /** 0 if it cannot be seen from here. */
  pid: number;
  uid: number;
}

/** The process at the other end of a connected unix socket. Loads libc; throws as `bindLibc` does. */
export function peerProcess(descriptor: number): PeerProcess {
  const getsockopt = bindLibc().bind('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']);
  const credentials = Buffer.alloc(12); // struct ucred: pid, uid, gid
  const length = Buffer.alloc(4);
  length.writeUInt32LE(credentials.length);
  getsockopt([descriptor, SOL_SOCKET, SO_PEERCRED, credentials, length]);
  return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4) };
}

/** Whether a process sees the same mounts as this one: no process of a container does. */
export function sharesMounts(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt');
  } catch {
    return false; // it has gone, or is another user's
  }
}
