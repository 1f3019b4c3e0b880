import type { Errno } from './errno.ts';
import type { SyscallName } from './syscalls.ts';

/**
 * System calls as data. The runner (runner-x64.S, runner-arm64.S) executes the steps of a program in order and stops at the first that
 * fails. The last step is usually `execve`: the runner becomes the command. A program that ends otherwise exits with 0.
 */
export type Program = readonly Step[];

export interface Step {
  call: SyscallName;
  /** At most six; missing ones are 0. */
  args: readonly Arg[];
  /** Verb phrase for the error message: `mount /proc` gives `Cannot mount /proc: permission denied`. */
  what: string;
  /** Errors after which the program goes on with the next step. */
  ignore?: readonly Errno[] | 'all' | undefined;
  /** Smallest result that counts as success, 0 if not given. `1` makes a read at the end of the file a failure (errno 0). */
  atLeast?: number | undefined;
  /** Name under which later steps get the result of this one: `{ result: name }`. Until it has succeeded they get -1. */
  save?: string | undefined;
  /** How many of the following steps are left out when this one succeeds. Failures that are ignored go on with the next step. */
  skipOnSuccess?: number | undefined;
  /**
   * For `clone` with SIGCHLD in its flags, and `clone3` with SIGCHLD as exit signal and its struct given as `words`:
   * the child goes on with the next step, the parent half waits for it (see Fork).
   */
  fork?: true | Fork | undefined;
}

/**
 * What a `fork` step does beyond its call. The parent half, the waiter, keeps no descriptors but those in `held` of startRunner,
 * blocks all signals, exits with the child's status (or 128 + the signal that ended it), reaps whatever else becomes its child, and
 * - kills the child with SIGKILL when its own parent (Node, for the first fork) ends, however that ends;
 * - passes on to the child the signals that another process sends to it. Those that the kernel sends (Ctrl-C on a terminal, a
 *   new window size) are not passed on: they go to the whole foreground group, whose other members see them themselves.
 *   Never passed on: SIGCHLD, SIGPIPE, SIGURG, SIGTSTP, SIGTTIN, SIGTTOU; impossible to pass on: SIGKILL, SIGSTOP.
 * Both halves become undumpable until the execve (nobody reaches the runner's file through /proc/<pid>/exe), hence files of
 * root in /proc/self: a rootless program writes uid_map, oom_score_adj and the like before the fork.
 * The child starts with an empty signal mask.
 */
export interface Fork {
  /** Who gets the signals: the child alone (if not given), or its process group (the child must call setsid or setpgid). */
  forward?: 'process' | 'group' | undefined;
}

/**
 * One argument: a number as it is (negative ones in two's complement), or a pointer to
 * - string: its UTF-8 bytes and a NUL; a NUL inside is an error;
 * - Uint8Array: a copy of the bytes (and a NUL, which is not counted), which the kernel may write to;
 * - words: 64-bit words, each an argument itself (struct sock_fprog is `{ words: [length, filter] }`);
 * - pointers: a NULL-terminated array of pointers, as execve takes.
 * `result` is what an earlier step returned; `control` the descriptor of the connection to Node.
 */
export type Arg =
  | number
  | bigint
  | string
  | Uint8Array
  | { words: readonly Arg[] }
  | { pointers: readonly (string | Uint8Array)[] }
  | { result: string }
  | { descriptor: 'control' };
