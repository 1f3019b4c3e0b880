import { constants } from 'node:fs';
import type { Errno } from '../../linux/errno.ts';
import { MOUNT_ATTR } from '../../linux/mount-flags.ts';
import type { Step } from '../../linux/program.ts';
import type { MountSteps } from './mount-steps.ts';
import { attach, bindMount, newMount } from './mounts.ts';
import type { NewMount } from './mounts.ts';
import type { NamespaceMode } from './namespaces.ts';
import { ownTarget, targetName } from './targets.ts';

/** A device of the host that every container may use, bound and not made: the container's /dev allows no devices of its own. */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;

const LINKS = [
  ['pts/ptmx', 'ptmx'],
  ['/proc/self/fd', 'fd'],
  ['/proc/self/fd/0', 'stdin'],
  ['/proc/self/fd/1', 'stdout'],
  ['/proc/self/fd/2', 'stderr'],
  ['/proc/kcore', 'core'],
] as const;

export interface DeviceOptions {
  /** Size of /dev/shm in bytes. */
  shmSize: number;
  /** Group 5 (tty) exists in the container, and terminals get it. */
  hasTtyGroup: boolean;
  /** The container's terminal, as /dev/pts/3 of the host, which becomes /dev/console. */
  console?: string | undefined;
  /** `host`: shared memory and message queues are the host's. */
  ipc: NamespaceMode;
}

/** A minimal /dev, with what docker puts there. */
export function deviceSteps(options: DeviceOptions): MountSteps {
  const folders = [terminals(options), ...ipcFolders(options)];
  return {
    prepare: [
      ...newMount({
        type: 'tmpfs',
        source: 'tmpfs',
        options: [
          ['size', '65536k'],
          ['mode', '755'],
        ],
        attributes: MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV,
        save: 'dev',
        what: 'create /dev',
      }),
      // Read-only: their mode and owner are the host's. What is written to a device is no change of its file system.
      ...DEVICES.flatMap((name) => bindDevice(name, `/dev/${name}`, MOUNT_ATTR.RDONLY)),
      ...(options.console === undefined ? [] : bindDevice('console', options.console, 0)),
      ...folders.flatMap(({ mount }) => mount),
    ],
    attach: [
      ...ownTarget('/dev', 'folder', 'create /dev'),
      attach({ mount: 'dev', target: targetName('/dev'), what: 'mount /dev' }),
      ...DEVICES.flatMap(attachDevice),
      ...(options.console === undefined ? [] : attachDevice('console')),
      ...LINKS.map(([target, name]): Step => ({
        call: 'symlinkat',
        args: [target, { result: 'dev' }, name],
        what: `create /dev/${name}`,
      })),
      ...folders.flatMap(({ place }) => place),
    ],
  };
}

function bindDevice(name: string, source: string, attributes: number): Step[] {
  const what = `open ${source} of the host`;
  return bindMount({ source, recursive: false, attributes, save: `device ${name}`, what });
}

function attachDevice(name: string): Step[] {
  const what = `mount /dev/${name}`;
  return [
    { call: 'mknodat', args: [{ result: 'dev' }, name, constants.S_IFREG | 0o666, 0], what },
    attach({ mount: `device ${name}`, target: 'dev', name, what }),
  ];
}

interface DeviceFolder {
  mount: Step[];
  place: Step[];
}

/** A file system of its own at /dev/<name>; left out if the kernel says one of the errors in `ignore`. */
function deviceFolder(
  name: string,
  { ignore = [], ...mount }: Omit<NewMount, 'source' | 'save' | 'what'>,
): DeviceFolder {
  const what = `mount /dev/${name}`;
  const save = `dev ${name}`;
  return {
    mount: newMount({ ...mount, source: mount.type, save, what, ignore }),
    place: placeFolder(name, ignore.length === 0 ? [] : ['EBADF']),
  };
}

function placeFolder(name: string, ignore: readonly Errno[]): Step[] {
  const what = `mount /dev/${name}`;
  return [
    { call: 'mkdirat', args: [{ result: 'dev' }, name, 0o755], what },
    attach({ mount: `dev ${name}`, target: 'dev', name, what, ignore }),
  ];
}

function terminals({ hasTtyGroup }: DeviceOptions): DeviceFolder {
  const group: [string, string][] = hasTtyGroup ? [['gid', '5']] : [];
  return deviceFolder('pts', {
    type: 'devpts',
    options: [['ptmxmode', '0666'], ['mode', '0620'], ...group],
    attributes: MOUNT_ATTR.NOSUID | MOUNT_ATTR.NOEXEC,
  });
}

const NO_PROGRAMS = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;

function ipcFolders({ ipc, shmSize }: DeviceOptions): DeviceFolder[] {
  if (ipc === 'private') return [sharedMemory(shmSize), messageQueues()];
  return ['shm', 'mqueue'].map((name) => {
    const [what, save] = [`mount /dev/${name}`, `dev ${name}`];
    const source = `/dev/${name}`;
    return {
      // Recursive: an ordinary user may not uncover what is below a mount of the host's.
      mount: bindMount({ source, recursive: true, attributes: NO_PROGRAMS, save, what, ignore: ['ENOENT'] }),
      place: placeFolder(name, ['EBADF']),
    };
  });
}

function sharedMemory(size: number): DeviceFolder {
  return deviceFolder('shm', {
    type: 'tmpfs',
    options: [
      ['mode', '1777'],
      ['size', String(size)],
    ],
    attributes: NO_PROGRAMS,
  });
}

/** A kernel without POSIX message queues has no such file system, and nothing can miss it. */
function messageQueues(): DeviceFolder {
  return deviceFolder('mqueue', { type: 'mqueue', attributes: NO_PROGRAMS, ignore: ['ENODEV'] });
}
