import { MOUNT_ATTR } from '../../linux/mount-flags.ts';
import type { Step } from '../../linux/program.ts';
import type { MountSteps } from './mount-steps.ts';
import type { NamespaceMode } from './namespaces.ts';
import { attach, bindMount, newMount } from './mounts.ts';
import { existingFolder, ownTarget, targetName } from './targets.ts';

// What docker hides and protects: moby daemon/pkg/oci/defaults.go (July 2026). All are inside file systems of the kernel's own,
// so no image has a say in what these paths are. Where a volume stands at /sys, no symlink in it is followed.
const MASKED: readonly MaskedPath[] = [
  { view: 'proc', path: 'acpi', kind: 'folder' },
  { view: 'proc', path: 'asound', kind: 'folder' },
  { view: 'proc', path: 'interrupts', kind: 'file' },
  { view: 'proc', path: 'kcore', kind: 'file' },
  { view: 'proc', path: 'keys', kind: 'file' },
  { view: 'proc', path: 'latency_stats', kind: 'file' },
  { view: 'proc', path: 'sched_debug', kind: 'file' },
  { view: 'proc', path: 'scsi', kind: 'folder' },
  { view: 'proc', path: 'timer_list', kind: 'file' },
  { view: 'proc', path: 'timer_stats', kind: 'file' },
  { view: 'sys', path: 'devices/virtual/powercap', kind: 'folder' },
  { view: 'sys', path: 'firmware', kind: 'folder' },
];

const READ_ONLY = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'];

interface MaskedPath {
  view: 'proc' | 'sys';
  path: string;
  kind: 'folder' | 'file';
}

export interface KernelViewOptions {
  /** The network namespace belongs to the container's user namespace: otherwise sysfs cannot be mounted anew. */
  ownsNetwork: boolean;
  /** Processors whose thermal_throttle folder exists and is masked: its counters tell what others compute. */
  thermalCpus: readonly number[];
  /** Whether anything in them is masked or read-only. /sys is read-only in any case. */
  isProtected: boolean;
  /** Leave /sys writable, as far as the kernel lets this user: for a privileged container. */
  isWritable: boolean;
  /** The processes of the host are those of the container. */
  pid: NamespaceMode;
}

/** /sys, read-only. */
export function sysSteps(options: KernelViewOptions): MountSteps {
  return {
    prepare: sysMount(options),
    attach: [
      ...ownTarget('/sys', 'folder', 'create /sys'),
      attach({ mount: 'sys', target: targetName('/sys'), what: 'mount /sys' }),
    ],
  };
}

/**
 * /proc, and what docker masks and protects in it and in /sys. Needs /dev/null of `deviceSteps` in place.
 * It is attached after all that walks a path of the image or of a volume: a symlink of theirs that leads into /proc leads nowhere yet, so
 * that no volume gets there (CVE-2019-19921, CVE-2023-27561), and what is mounted at or in /sys is masked as well.
 */
export function procSteps({ pid, isProtected, thermalCpus }: KernelViewOptions): MountSteps {
  return {
    prepare: procMount(pid),
    attach: [
      ...ownTarget('/proc', 'folder', 'create /proc'),
      attach({ mount: 'proc', target: targetName('/proc'), what: 'mount /proc' }),
      ...(isProtected ? [...READ_ONLY.flatMap(protect), ...masked(thermalCpus).flatMap(mask)] : []),
    ],
  };
}

/** The same for an OCI runtime: what it is to hide, absolute. */
export function maskedPaths(thermalCpus: readonly number[]): string[] {
  return masked(thermalCpus).map(({ view, path }) => `/${view}/${path}`);
}

/** What it is to protect. */
export function readOnlyPaths(): string[] {
  return READ_ONLY.map((name) => `/proc/${name}`);
}

function masked(thermalCpus: readonly number[]): MaskedPath[] {
  const thermal = thermalCpus.map((cpu): MaskedPath => ({
    view: 'sys',
    path: `devices/system/cpu/cpu${cpu}/thermal_throttle`,
    kind: 'folder',
  }));
  return [...MASKED, ...thermal];
}

const NO_PROGRAMS = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;

/** A process namespace that belongs to somebody else cannot be mounted anew from a user namespace. */
function procMount(pid: NamespaceMode): Step[] {
  const [what, save] = ['mount /proc', 'proc'];
  return pid === 'host'
    ? bindMount({ source: '/proc', recursive: true, attributes: NO_PROGRAMS, save, what })
    : newMount({ type: 'proc', source: 'proc', attributes: NO_PROGRAMS, save, what });
}

function sysMount({ ownsNetwork, isWritable }: KernelViewOptions): Step[] {
  const what = 'mount /sys';
  const attributes = NO_PROGRAMS | (isWritable ? 0 : MOUNT_ATTR.RDONLY);
  const hosts = bindMount({ source: '/sys', recursive: true, attributes, save: 'sys', what });
  if (!ownsNetwork) return hosts;
  // EPERM where something is mounted over parts of the /sys at hand, as inside another container.
  const fresh = newMount({ type: 'sysfs', source: 'sysfs', attributes, save: 'sys', what, ignore: ['EPERM'] });
  return [
    ...fresh.slice(0, -1),
    ...fresh.slice(-1).map((step) => ({ ...step, skipOnSuccess: hosts.length })),
    ...hosts,
  ];
}

function protect(name: string): Step[] {
  const what = `make /proc/${name} read-only`;
  const save = `protected ${name}`;
  return [
    // Absent on some kernels; then there is nothing to protect.
    ...bindMount({
      source: { within: 'proc', name },
      recursive: true,
      attributes: NO_PROGRAMS | MOUNT_ATTR.RDONLY,
      save,
      what,
      ignore: ['ENOENT'],
    }),
    attach({ mount: save, target: 'proc', name, what, ignore: ['EBADF', 'ENOENT'] }),
  ];
}

function mask({ view, path, kind }: MaskedPath): Step[] {
  const what = `mask /${view}/${path}`;
  const save = `mask ${view} ${path}`;
  const cover =
    kind === 'file'
      ? bindMount({ source: { result: 'device null' }, recursive: false, attributes: 0, save, what })
      : newMount({ type: 'tmpfs', attributes: NO_PROGRAMS | MOUNT_ATTR.RDONLY, save, what });
  if (view === 'proc') return [...cover, attach({ mount: save, target: view, name: path, what, ignore: ['ENOENT'] })];
  const target = `/${view}/${path}`;
  return [
    ...cover,
    ...existingFolder(target, what),
    attach({ mount: save, target: targetName(target), what, ignore: ['EBADF'] }),
  ];
}
