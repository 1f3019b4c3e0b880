import { constants } from 'node:fs';

import { cString, type LibcBinding } from './libc.ts';
import { machineOf } from './machine.ts';
import { AT } from './path-flags.ts';
import { syscallNumber } from './syscalls.ts';

/** A point in time as the kernel keeps it: `nanoseconds` is 0 to 999,999,999 and counts up from `seconds`. */
export interface FileTime {
  /** Since 1970, whole. */
  seconds: number;
  nanoseconds: number;
}

/** What Node's fs lacks to make files exactly as an archive says. All throw a `SyscallError`; paths are bytes without NUL. */
export interface FileCalls {
  /** futimens(2): access and modification time of an open file. */
  setFileTimes(fd: number, time: FileTime): void;
  /** utimensat(2) without following a symlink at the end of `path`. */
  setPathTimes(path: Uint8Array, time: FileTime): void;
  /** mknod(2): `mode` with the type in it, one of NODE_TYPES; `device` as in `st_rdev`, 0 for what is none. */
  makeNode(path: Uint8Array, mode: number, device: bigint): void;
  /** openat(2), always close-on-exec; `path` is relative to the folder open as `folder`. Answers a descriptor. */
  openAt(folder: number, path: Uint8Array, flags: number): number;
  /** getdents64(2): the next names in an open folder, one character per byte, without `.` and `..`; undefined at the end. */
  nextNames(folder: number): string[] | undefined;
}

/** Binds the calls; keep the result, binding costs more than calling. Throws as `bindLibc` and `machineOf` do. */
export function bindFileCalls(libc: LibcBinding): FileCalls {
  const machine = machineOf(process.arch);
  const numbers = { mknodat: syscallNumber(machine, 'mknodat'), getdents64: syscallNumber(machine, 'getdents64') };
  const futimens = libc.bind('futimens', 'int', ['int', 'void *']);
  const utimensat = libc.bind('utimensat', 'int', ['int', 'void *', 'void *', 'int']);
  const openat = libc.bind('openat', 'int', ['int', 'void *', 'int']);
  // Through syscall(2): before 2.33, glibc has no mknod that can be found at run time.
  const mknodat = libc.bind('syscall', 'int64', ['int64', 'int', 'void *', 'uint', 'uint64']);
  const getdents64 = libc.bind('syscall', 'int64', ['int64', 'int', 'void *', 'uint64']); // in glibc since 2.30
  const times = timespecs();
  return {
    setFileTimes(fd, time) {
      futimens([fd, times(time)]);
    },
    setPathTimes(path, time) {
      utimensat([AT.FDCWD, cString(path), times(time), AT.SYMLINK_NOFOLLOW], shown(path));
    },
    makeNode(path, mode, device) {
      mknodat([numbers.mknodat, AT.FDCWD, cString(path), mode, device], shown(path));
    },
    openAt(folder, path, flags) {
      return openat([folder, cString(path), flags | O_CLOEXEC], shown(path));
    },
    nextNames(folder) {
      const entries = Buffer.alloc(32_768);
      const length = getdents64([numbers.getdents64, folder, entries, entries.length]);
      return length === 0 ? undefined : namesOf(entries.subarray(0, length));
    },
  };
}

const O_CLOEXEC = 0o2000000; // Node's constants lack it

/** The argument of futimens(2): access and modification time as struct timespec, which is two 64-bit words on every 64-bit machine. */
function timespecs(): (time: FileTime) => Uint8Array {
  const words = new BigInt64Array(4); // filled again by each call: nothing here is asynchronous
  const bytes = new Uint8Array(words.buffer);
  return ({ seconds, nanoseconds }) => {
    words[0] = words[2] = BigInt(seconds);
    words[1] = words[3] = BigInt(nanoseconds);
    return bytes;
  };
}

/** struct linux_dirent64: inode and offset of 8 bytes each, length of the entry, type, name with a NUL. */
function namesOf(entries: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < entries.length; at += entries.readUInt16LE(at + 16)) {
    const start = at + 19;
    const name = entries.toString('latin1', start, entries.indexOf(0, start));
    if (name !== '.' && name !== '..') names.push(name);
  }
  return names;
}

function shown(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString();
}

/** File types in `mode` for `makeNode`. */
export const NODE_TYPES: Readonly<Record<'character' | 'fifo' | 'socket', number>> = {
  character: constants.S_IFCHR,
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
};
