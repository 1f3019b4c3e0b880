import { MOUNT_ATTR } from '../../linux/mount-flags.ts';
import { hasGroup } from '../id-mapping.ts';
import { engineFilesOf } from '../steps/etc-files.ts';
import type { UserMount } from '../steps/volumes.ts';
import { bundleFolder } from './bundle-folder.ts';
import { INIT_COMMAND, initFiles } from './bundle-init.ts';
import type { BundleRequest } from './bundle-request.ts';
import type { OciMount } from './oci-config.ts';

const NO_PROGRAMS = ['nosuid', 'noexec', 'nodev'];
const TERMINALS = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];
const TTY_GROUP = 5; // by convention of every distribution, and docker's

/** Docker's mounts in docker's order, except for /sys/fs/cgroup, which no container of this engine has; then those of the user. */
export function bundleMounts(request: BundleRequest): OciMount[] {
  const { ownership, mounts, folder } = request;
  const targets = mounts.map(({ target }) => target);
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: NO_PROGRAMS },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: hasGroup(ownership, TTY_GROUP) ? [...TERMINALS, `gid=${TTY_GROUP}`] : TERMINALS,
    },
    sysMount(request),
    ...ipcMounts(request),
    ...(request.init ? [initMount(folder)] : []),
    ...engineFilesOf(targets).map((name) =>
      bind({ source: `${folder}/etc/${name}`, destination: `/etc/${name}`, flags: NO_PROGRAMS, isFile: true }),
    ),
    ...mounts
      .toSorted((a, b) => a.target.split('/').length - b.target.split('/').length) // folders before what is inside them
      .map((mount) => userMount(mount, request)),
  ];
}

function initMount(folder: string): OciMount {
  const source = initFiles(bundleFolder(folder)).runner;
  return bind({ source, destination: INIT_COMMAND[0], flags: ['nosuid', 'nodev', 'ro'], isFile: true });
}

/** A network namespace of the host's has its part of /sys, which the kernel mounts anew for its owner alone. */
function sysMount({ ownership, network, privileged }: BundleRequest): OciMount {
  const flags = privileged ? NO_PROGRAMS : [...NO_PROGRAMS, 'ro'];
  if (ownership.kind === 'root' || network !== 'host') {
    return { destination: '/sys', type: 'sysfs', source: 'sysfs', options: flags };
  }
  return bind({ source: '/sys', destination: '/sys', flags });
}

function ipcMounts({ ipc, shmSize, hostIpcFolders }: BundleRequest): OciMount[] {
  if (ipc === 'host') {
    return hostIpcFolders.map((path) => bind({ source: path, destination: path, flags: NO_PROGRAMS }));
  }
  return [
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: NO_PROGRAMS },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...NO_PROGRAMS, 'mode=1777', `size=${shmSize}`],
    },
  ];
}

function userMount(mount: UserMount, { ownership, mountFlags }: BundleRequest): OciMount {
  const nosuid = ownership.kind !== 'root' ? ['nosuid'] : []; // set-user-ID programs would run with the caller's own files
  if (mount.kind === 'tmpfs') {
    const flags = TMPFS_FLAGS.filter(([bit]) => mount.attributes & bit).map(([, word]) => word);
    const settings = mount.options.map(([key, value]) => `${key}=${value}`);
    const options = [...new Set([...flags, ...nosuid]), ...settings];
    return { destination: mount.target, type: 'tmpfs', source: 'tmpfs', options };
  }
  const { source, sourceKind, target, readOnly } = mount;
  const nodev = sourceKind === 'device' ? [] : ['nodev'];
  const flags = new Set([...nodev, ...nosuid, ...(readOnly ? ['ro'] : []), ...(mountFlags.get(source) ?? [])]);
  return bind({ source, destination: target, flags: [...flags], isFile: sourceKind !== 'folder' });
}

const TMPFS_FLAGS: readonly (readonly [bit: number, word: string])[] = [
  [MOUNT_ATTR.RDONLY, 'ro'],
  [MOUNT_ATTR.NOSUID, 'nosuid'],
  [MOUNT_ATTR.NODEV, 'nodev'],
  [MOUNT_ATTR.NOEXEC, 'noexec'],
  [MOUNT_ATTR.NOATIME, 'noatime'],
  [MOUNT_ATTR.NODIRATIME, 'nodiratime'],
];

interface Bind {
  source: string;
  destination: string;
  flags: string[];
  /** It is no folder. */
  isFile?: boolean;
}

/**
 * The flags of a folder are there twice: the plain words are for the mount itself, which every runtime understands, those with `r`
 * for all below it. A file has nothing below, and crun 1.8 takes one with such flags for a folder.
 */
function bind({ source, destination, flags, isFile = false }: Bind): OciMount {
  const recursive = isFile ? [] : flags.map((flag) => `r${flag}`);
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', ...flags, ...recursive] };
}
