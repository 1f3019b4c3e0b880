/**
 * System call numbers by machine, keyed by Node's `process.arch`. Only calls that exist on every 64-bit machine are listed
 * (`openat`, not `open`), so that a program does not depend on the machine.
 * Source: arch/x86/entry/syscalls/syscall_64.tbl.
 */
export const SYSCALLS = {
  x64: {
    read: 0,
    write: 1,
    pread64: 17,
    pwrite64: 18,
    lseek: 8,
    close: 3,
    close_range: 436,
    fcntl: 72,
    dup3: 292,
    flock: 73,
    ioctl: 16,
    pipe2: 293,
    poll: 7,
    openat: 257,
    openat2: 437,
    faccessat2: 439,
    newfstatat: 262,
    fstat: 5,
    statx: 332,
    readlinkat: 267,
    mkdirat: 258,
    mknodat: 259,
    symlinkat: 266,
    linkat: 265,
    unlinkat: 263,
    renameat2: 316,
    fchmod: 91,
    fchmodat: 268,
    fchown: 93,
    fchownat: 260,
    ftruncate: 77,
    utimensat: 280,
    umask: 95,
    chdir: 80,
    fchdir: 81,
    chroot: 161,
    mount: 165,
    umount2: 166,
    pivot_root: 155,
    open_tree: 428,
    move_mount: 429,
    mount_setattr: 442,
    fsopen: 430,
    fsconfig: 431,
    fsmount: 432,
    fspick: 433,
    unshare: 272,
    setns: 308,
    clone: 56,
    clone3: 435,
    wait4: 61,
    kill: 62,
    execve: 59,
    execveat: 322,
    exit_group: 231,
    getpid: 39,
    getppid: 110,
    setsid: 112,
    setpgid: 109,
    getuid: 102,
    setuid: 105,
    setgid: 106,
    setresuid: 117,
    setresgid: 119,
    setgroups: 116,
    capset: 126,
    prctl: 157,
    seccomp: 317,
    keyctl: 250,
    prlimit64: 302,
    personality: 135,
    setpriority: 141,
    sched_setaffinity: 203,
    ioprio_set: 251,
    rt_sigprocmask: 14,
    sethostname: 170,
    setdomainname: 171,
    socket: 41,
    bind: 49,
    memfd_create: 319,
    mmap: 9,
    munmap: 11,
    nanosleep: 35,
    landlock_create_ruleset: 444,
    landlock_add_rule: 445,
    landlock_restrict_self: 446,
  },
} as const;

export type SyscallName = keyof (typeof SYSCALLS)['x64'];

export type Machine = keyof typeof SYSCALLS;

export function isMachine(arch: string): arch is Machine {
  return Object.hasOwn(SYSCALLS, arch);
}

/** Throws nothing: both arguments are checked by their types. */
export function syscallNumber(machine: Machine, name: SyscallName): number {
  return SYSCALLS[machine][name];
}
