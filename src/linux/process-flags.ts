/** Flags of clone(2), unshare(2) and setns(2): include/uapi/linux/sched.h. */
export const CLONE = {
  NEWTIME: 0x80, // unshare and clone3 only
  NEWNS: 0x20000,
  NEWCGROUP: 0x2000000,
  NEWUTS: 0x4000000,
  NEWIPC: 0x8000000,
  NEWUSER: 0x10000000,
  NEWPID: 0x20000000,
  NEWNET: 0x40000000,
} as const;

/** First argument of prctl(2): include/uapi/linux/prctl.h. */
export const PR = {
  SET_PDEATHSIG: 1,
  SET_DUMPABLE: 4,
  SET_KEEPCAPS: 8,
  SET_NAME: 15,
  SET_SECCOMP: 22,
  CAPBSET_DROP: 24,
  SET_SECUREBITS: 28,
  SET_CHILD_SUBREAPER: 36,
  SET_NO_NEW_PRIVS: 38,
  CAP_AMBIENT: 47,
  CAP_AMBIENT_RAISE: 2, // second arguments of CAP_AMBIENT
  CAP_AMBIENT_CLEAR_ALL: 4,
} as const;

/** Signals that the set-up itself uses, by number: the same on x86-64 and arm64. */
export const SIGNAL = {
  KILL: 9,
  PIPE: 13,
  TERM: 15,
  CHLD: 17,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
} as const;

/** First argument of rt_sigprocmask(2). */
export const SIG_SETMASK = 2;

/** First arguments of seccomp(2) and keyctl(2), second of fcntl(2); resources of prlimit64(2). */
export const SECCOMP = { SET_MODE_FILTER: 1 } as const;
export const FCNTL = { SETFD: 2, FD_CLOEXEC: 1 } as const;
export const KEYCTL = { JOIN_SESSION_KEYRING: 1 } as const;
export const RLIMIT = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  RSS: 5,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  AS: 9,
  LOCKS: 10,
  SIGPENDING: 11,
  MSGQUEUE: 12,
  NICE: 13,
  RTPRIO: 14,
  RTTIME: 15,
} as const;
