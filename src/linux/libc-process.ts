import { cString, type LibcBinding } from './libc.ts';
import { PR, SIGNAL } from './process-flags.ts';

/** What a process does to itself. All throw a `SyscallError`. */
export interface ProcessCalls {
  /** chroot(2). The working folder stays where it is: change into the new root afterwards. */
  chroot(path: string): void;
  /** chroot(2) to the folder that is open as `fd`; changes the working folder to it as well. */
  chrootToOpenFolder(fd: number): void;
  /** The kernel kills this process when the thread that started it ends: PR_SET_PDEATHSIG in prctl(2). */
  dieWithParent(): void;
}

/** Binds the calls. Throws as `bindLibc` does. */
export function bindProcessCalls(libc: LibcBinding): ProcessCalls {
  const chroot = libc.bind('chroot', 'int', ['void *']);
  const fchdir = libc.bind('fchdir', 'int', ['int']);
  const prctl = libc.bind('prctl', 'int', ['int', 'uint64']);
  return {
    chroot(path) {
      chroot([cString(path)], path);
    },
    chrootToOpenFolder(fd) {
      fchdir([fd]);
      chroot([cString('.')], '.');
    },
    dieWithParent() {
      prctl([PR.SET_PDEATHSIG, SIGNAL.KILL]);
    },
  };
}
