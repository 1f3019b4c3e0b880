import { cString, type LibcBinding, type SyscallError } from './libc.ts';

/** Extended attributes: xattr(7). All throw a `SyscallError`; names are one character per byte. */
export interface XattrCalls {
  /** Of an open file or folder; not of one that was opened with O_PATH. */
  set(fd: number, name: string, value: Uint8Array): void;
  /** Undefined if the file has no such attribute, or its file system has none at all. */
  get(fd: number, name: string): Buffer | undefined;
  /** Names, in the order of the file system; empty where it has no attributes at all. */
  list(fd: number): string[];
  remove(fd: number, name: string): void;
}

/** Binds the calls; keep the result, binding costs more than calling. Throws as `bindLibc` does. */
export function bindXattrCalls(libc: LibcBinding): XattrCalls {
  const fsetxattr = libc.bind('fsetxattr', 'int', ['int', 'void *', 'void *', 'size_t', 'int']);
  const fgetxattr = libc.bind('fgetxattr', 'int64', ['int', 'void *', 'void *', 'size_t']);
  const flistxattr = libc.bind('flistxattr', 'int64', ['int', 'void *', 'size_t']);
  const fremovexattr = libc.bind('fremovexattr', 'int', ['int', 'void *']);
  return {
    set(fd, name, value) {
      fsetxattr([fd, cName(name), value, value.length, 0]);
    },
    get(fd, name) {
      const value = unlessAbsent(() => readWhole((bytes, size) => fgetxattr([fd, cName(name), bytes, size])));
      return value;
    },
    list(fd) {
      const names = unlessAbsent(() => readWhole((bytes, size) => flistxattr([fd, bytes, size])));
      return names === undefined
        ? []
        : names
            .toString('latin1')
            .split('\0')
            .filter((name) => name !== '');
    },
    remove(fd, name) {
      fremovexattr([fd, cName(name)]);
    },
  };
}

const MAX_XATTR_SIZE = 65_536; // bytes, of a value and of the list of names: include/uapi/linux/limits.h

function readWhole(read: (bytes: Buffer, size: number) => number): Buffer {
  const bytes = Buffer.alloc(MAX_XATTR_SIZE);
  return Buffer.from(bytes.subarray(0, read(bytes, bytes.length)));
}

function unlessAbsent(read: () => Buffer): Buffer | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as SyscallError;
    // ENOTSUP is what glibc calls EOPNOTSUPP; Node's table may answer either.
    if (code === 'ENODATA' || code === 'ENOTSUP' || code === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}

function cName(name: string): Buffer {
  return cString(Buffer.from(name, 'latin1'));
}
