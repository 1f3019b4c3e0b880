import { errnoName, errnoNumber, errnoText } from './errno.ts';
import { loadKoffi } from './load-koffi.ts';

/** What a bound function takes: numbers and bigints for integers, `Uint8Array` for pointers (in place, no copy), null for NULL. */
export type LibcArgument = number | bigint | Uint8Array | string | null;

/** koffi's names for the C types that are needed here. A pointer is 'void *'; variadic functions end in '...'. */
export type CType = 'int' | 'uint' | 'int64' | 'uint64' | 'size_t' | 'void *' | '...';

/**
 * A C function that answers -1 and sets errno when it fails. `path` is only for the error.
 * Answers what the C function answers; throws a `SyscallError` for -1.
 */
export type LibcFunction = (args: readonly LibcArgument[], path?: string) => number;

/** As Node's fs throws: `code` 'EPERM', `errno` negative, `syscall` the function's name, `path` if there is one. */
export interface SyscallError extends Error {
  code: string;
  errno: number;
  syscall: string;
  path?: string;
}

export interface LibcBinding {
  /** Declares a function of the C library: `bind('flock', 'int', ['int', 'int'])`. Throws when the library lacks it. */
  bind(name: string, result: CType, parameters: readonly CType[]): LibcFunction;
}

/** The functions that more than one part needs. Others bind their own through `bindLibc`, in files beside this one. */
export interface Libc {
  /** flock(2); `operation` is a sum of LOCK_SH or LOCK_EX and LOCK_NB. Held by the open file, freed with its last descriptor. */
  flock(fd: number, operation: number, path?: string): void;
  /**
   * syncfs(2): blocks until all of the file system that holds `fd` is on disk, perhaps for seconds: for a process that has
   * nothing else to do. Reports what could not be written since the last one (Linux 5.8 and newer).
   */
  syncfsSync(fd: number, path?: string): void;
}

export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;

const EINTR = errnoNumber('EINTR');

/**
 * Opens the C library that Node itself runs on (glibc or musl).
 *
 * koffi is loaded here and not with the module: it costs 8 to 13 ms, and `run` must not pay for it. Nothing is kept between
 * calls: koffi itself stays cached by Node, after which a call costs 0.02 ms and a `bind` 0.005 ms. Keep what you bind.
 *
 * Throws ERR_HOST where koffi has no binary for this machine.
 */
export function bindLibc(): LibcBinding {
  const koffi = loadKoffi();
  const library = koffi.load(null);
  return {
    bind(name, result, parameters) {
      const call = library.func(name, result, [...parameters]);
      return (args, path) => {
        for (;;) {
          const answer = Number(call(...args));
          if (answer !== -1) return answer;
          const errno = koffi.errno();
          if (errno !== EINTR) throw syscallError(name, errno, path);
        }
      };
    },
  };
}

export function loadLibc(): Libc {
  const libc = bindLibc();
  const flock = libc.bind('flock', 'int', ['int', 'int']);
  const syncfs = libc.bind('syncfs', 'int', ['int']);
  return {
    flock: (fd, operation, path) => void flock([fd, operation], path),
    syncfsSync: (fd, path) => void syncfs([fd], path),
  };
}

/** `text` or the bytes of a path as C wants them, NUL at the end. Throws a TypeError for a NUL inside: C would stop there. */
export function cString(text: string | Uint8Array): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  if (bytes.includes(0)) throw new TypeError('A path or name must not contain a NUL byte');
  const terminated = Buffer.alloc(bytes.length + 1);
  terminated.set(bytes);
  return terminated;
}

/** The error that Node's fs would throw for a positive `errno`; but EDQUOT and others that libuv does not know have names too. */
export function syscallError(syscall: string, errno: number, path?: string): SyscallError {
  const code = errnoName(errno) ?? `E${errno}`;
  const message = `${code}: ${errnoText(errno)}, ${syscall}${path === undefined ? '' : ` '${path}'`}`;
  return Object.assign(new Error(message), { code, errno: -errno, syscall, ...(path === undefined ? {} : { path }) });
}
