import { installCommand } from './distribution.ts';
import { nextFreeRange } from './subordinate-ids.ts';

/**
 * Something of this machine that is in the way, and what mends it. This file is the one place for both: a run that fails says it in one
 * line (`obstacleText`), and `mydocker doctor` lists it.
 */
export interface Obstacle {
  /** A sentence without its end. */
  cause: string;
  /** A command where there is one, else a phrase in the imperative. */
  remedy: string;
}

/** Who is to remove an obstacle. */
export interface Caller {
  uid: number;
  /** Not in another container, where settings of the kernel cannot be changed. */
  initialUserNamespace: boolean;
}

/** In one line. */
export function obstacleText({ cause, remedy }: Obstacle): string {
  return `${cause}: ${remedy}`;
}

/** What of the kernel's settings forbids ordinary users to create user namespaces. Texts of files, empty where there is none. */
export function userNamespaceObstacle(
  settings: { maxUserNamespaces: string; unprivilegedUserNamespaces: string; apparmorRestriction: string },
  caller: Caller,
): Obstacle | undefined {
  if (settings.maxUserNamespaces.trim() === '0') {
    return {
      cause: 'User namespaces are switched off (user.max_user_namespaces is 0)',
      remedy: setSysctl('user.max_user_namespaces', 28_000, caller),
    };
  }
  if (settings.unprivilegedUserNamespaces.trim() === '0') {
    return {
      cause: 'User namespaces are for root only (kernel.unprivileged_userns_clone is 0)',
      remedy: setSysctl('kernel.unprivileged_userns_clone', 1, caller),
    };
  }
  if (settings.apparmorRestriction.trim() === '1') {
    return {
      cause:
        'AppArmor takes the capabilities away from user namespaces of ordinary users (kernel.apparmor_restrict_unprivileged_userns is 1)',
      remedy: `${setSysctl('kernel.apparmor_restrict_unprivileged_userns', 0, caller)}; or load a profile with "userns," for the runner`,
    };
  }
  return undefined;
}

/** Set until it is changed again: also after the next start of the machine. */
function setSysctl(name: string, value: number, { uid, initialUserNamespace }: Caller): string {
  const sudo = sudoFor(uid);
  const where = initialUserNamespace ? '' : 'on the host, ';
  return `${where}echo "${name} = ${value}" | ${sudo}tee -a /etc/sysctl.d/50-mydocker.conf && ${sudo}sysctl --system`;
}

/** Namespaces are refused, and no setting of the kernel says why. */
export function namespaceObstacle(refusal: { code: string | undefined; call: string; isFiltered: boolean }): Obstacle {
  const { code, call, isFiltered } = refusal;
  const known = code === undefined ? undefined : NAMESPACE_ERRORS[code];
  if (known !== undefined) return known;
  if (isFiltered) {
    return {
      cause: `A filter of system calls (seccomp) is around this process and forbids ${call}, as in another container`,
      remedy: `start that container with ${INSIDE}`,
    };
  }
  return {
    cause: 'This machine, or a sandbox around this process, does not allow it to create namespaces',
    remedy: `run it outside of chroots and sandboxes; inside another container, start that with ${INSIDE}`,
  };
}

/** What clone(2) and unshare(2) say of namespaces by an error of its own. */
const NAMESPACE_ERRORS: Readonly<Record<string, Obstacle>> = {
  ENOSPC: {
    cause: 'The number of namespaces is limited (user.max_*_namespaces, of this user namespace or of one around it)',
    remedy: 'end containers that are not needed, or raise these sysctls',
  },
  EINVAL: {
    cause: 'The kernel was built without a kind of namespace that containers need',
    remedy:
      'boot one with CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_UTS_NS, CONFIG_IPC_NS, CONFIG_NET_NS and CONFIG_CGROUPS',
  },
  EAGAIN: {
    cause: 'This user, or the control group of this process, has as many processes as it may have',
    remedy:
      'end some, or raise the limit: ulimit -u, TasksMax= of systemd, --pids-limit of another container around it',
  },
};

/** What another container has to be given for ours to run in it. */
const INSIDE =
  '"--security-opt seccomp=unconfined --security-opt systempaths=unconfined" (docker with AppArmor: apparmor=unconfined as well; ' +
  'podman: unmask=ALL for the second; Kubernetes: hostUsers: false and procMount: Unmasked)';

/** EPERM for a new mount of /proc or /sys in a user namespace: mount_too_revealing() in fs/namespace.c of the kernel. */
export function coveredObstacle(path: '/proc' | '/sys'): Obstacle {
  return {
    cause: `A part of ${path} is covered here, as inside another container, and the kernel does not show it anew to those who cannot see it`,
    remedy:
      'start that container with "--security-opt systempaths=unconfined" (podman: "--security-opt unmask=ALL", Kubernetes: procMount: Unmasked)',
  };
}

export const NO_PROC: Obstacle = {
  cause: 'Nothing is mounted at /proc, as in a chroot',
  remedy: 'mount it: mount -t proc proc /proc',
};

export const NO_NEW_PRIVILEGES: Obstacle = {
  cause: 'This process runs with no_new_privs, so that newuidmap would get no privileges',
  remedy:
    'start it without (setpriv --no-new-privs, NoNewPrivileges= of systemd, allowPrivilegeEscalation: false of Kubernetes)',
};

/** Of root of a container that has one id: nobody can hand on what he has not. */
export const ONE_ID: Obstacle = {
  cause: 'This user namespace has one id only, as in the container of a user without subordinate ids',
  remedy:
    'start what is around it with a range of ids (unshare --map-auto, an engine whose user has ranges in /etc/subuid)',
};

export function noIdMapToolsObstacle(osRelease: string, uid: number): Obstacle {
  return { cause: 'There is no newuidmap or newgidmap', remedy: installCommand('newuidmap', osRelease, uid) };
}

/** @param paths of the tools, absolute and harmless */
export function powerlessIdMapToolsObstacle(paths: readonly string[], uid: number): Obstacle {
  return {
    cause: `${paths.join(' and ')} can get no privileges`,
    remedy: `${sudoFor(uid)}chmod u+s ${paths.join(' ')} (on a file system that is not mounted nosuid)`,
  };
}

/** No range, or too small a one. `subuid` and `subgid` are the texts of both files, in which free ids are looked for. */
export function noIdsObstacle(user: {
  uid: number;
  name: string | undefined;
  subuid: string;
  subgid: string;
  /** Of /etc/subuid and /etc/subgid, those without a range. */
  missing: readonly string[];
}): Obstacle {
  const { uid, name, missing, subuid, subgid } = user;
  const who = name !== undefined && /^[a-z_][\w.-]*$/i.test(name) ? name : String(uid); // it goes into a command
  const { start, count } = nextFreeRange(missing.map((file) => (file === '/etc/subuid' ? subuid : subgid)));
  return {
    cause: `No ids are granted to this user in ${missing.join(' and ')}`,
    remedy: `echo "${who}:${start}:${count}" | ${sudoFor(uid)}tee -a ${missing.join(' ')}`,
  };
}

/** `mount_setattr`, which nothing can stand in for. */
export const MINIMUM_KERNEL: readonly [major: number, minor: number] = [5, 12];

export function oldKernelObstacle(kernelRelease: string, call: string): Obstacle {
  return {
    cause: `Linux ${MINIMUM_KERNEL.join('.')} or newer is needed, this is ${kernelRelease}; or a sandbox forbids ${call}`,
    remedy: 'update the kernel, or leave the sandbox',
  };
}

export const OVERLAY_OBSTACLE: Obstacle = {
  cause: 'Overlayfs does not work on the file system of the store, or not for this user (which takes Linux 5.11)',
  remedy: 'put the store elsewhere with --home or MYDOCKER_HOME',
};

export const NOEXEC_STORE: Obstacle = {
  cause: 'The file system of the store is mounted noexec, and without overlayfs the container runs from there',
  remedy: 'mount it without noexec, or put the store elsewhere with --home or MYDOCKER_HOME',
};

export const NO_EXECUTABLE_PLACE: Obstacle = {
  cause: 'None of these folders is both writable and mounted without noexec',
  remedy: 'make one of them so: sudo mount -o remount,exec /dev/shm',
};

export function sudoFor(uid: number): string {
  return uid === 0 ? '' : 'sudo ';
}
