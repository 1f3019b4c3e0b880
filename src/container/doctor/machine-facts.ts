import type { Controller } from '../../linux/control-groups.ts';
import type { HostFacts, HostSources } from '../../linux/host-facts.ts';
import type { SnapshotDriver } from '../../snapshot/mount.ts';
import type { Refusal } from './refusal.ts';

/** What is known of this machine: read, or tried. Texts of files are empty where there is no such file. */
export interface MachineFacts {
  host: HostFacts;
  sources: Pick<HostSources, 'userName' | 'subuid' | 'subgid'>;
  /** process.arch, process.version, /etc/os-release */
  machine: string;
  nodeVersion: string;
  osRelease: string;
  /** Of /proc/self: mountinfo, and the names in ns/. */
  mountinfo: string;
  namespaces: readonly string[];
  /** Which engine runs the container that this process is in, as far as that tells; undefined where none does. */
  outerContainer: string | undefined;
  idMapTools: readonly IdMapToolFacts[];
  /** Of /proc/sys/dev/tty: legacy_tiocsti. */
  legacyTiocsti: string;
  /** The line of this user in /proc/key-users. */
  keyUsers: string;
  /** Name of the AppArmor profile of this process; undefined without AppArmor. */
  apparmorProfile: string | undefined;
  /** /sys/fs/selinux/enforce */
  selinux: string;
  controlGroups: ReadonlyMap<Controller, 1 | 2>;
  store: StoreFacts;
  /** Where programs of the PATH are. */
  programs: Readonly<Record<OptionalProgram, string | undefined>>;
  tunDevice: 'usable' | 'forbidden' | 'missing';
  env: Readonly<Record<string, string | undefined>>;
  /** The file that NODE_EXTRA_CA_CERTS names can be read; undefined if it names none. */
  extraCaReadable: boolean | undefined;
  trials: Trials;
}

export type OptionalProgram = 'pasta' | 'slirp4netns' | 'runc' | 'crun';

export interface IdMapToolFacts {
  name: 'newuidmap' | 'newgidmap';
  /** Absolute; undefined where there is none. */
  path: string | undefined;
  /** It has the set-user-ID bit of root, or capabilities, and its file system honours them. */
  hasPrivileges: boolean;
}

export interface StoreFacts {
  /** Absolute, without a symlink in it. */
  folder: string;
  /** Bytes and files that may still be written; NaN where that is not known. */
  freeBytes: number;
  freeFiles: number;
  /** How many files there can be: 0 on file systems that do not count them. */
  maxFiles: number;
  /** Why it cannot be opened. */
  refusal: Refusal | undefined;
  /** What copies of images are made with; undefined where that could not be decided. */
  driver: SnapshotDriver['name'] | undefined;
  /** The file that the runner is executed from. */
  runner: string | Refusal;
}

/** What was really tried; undefined where it works. */
export interface Trials {
  /** A user namespace with its id maps; not tried as root. */
  userNamespace: Refusal | undefined;
  namespaces: Refusal | undefined;
  proc: Refusal | undefined;
  seccomp: Refusal | undefined;
  keyring: Refusal | undefined;
  /** `untried` where it did not come to that, for a reason that another trial has found. */
  overlay: Refusal | 'untried' | undefined;
  limits: Readonly<Record<Controller, Refusal | undefined>>;
  /** A whole container, up to its first program; undefined as well if the store could not be opened. */
  container: Refusal | undefined;
}
