import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, rmdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import type { TestOptions } from 'vitest';

import { createGroup } from '../../src/container/limits/create-group.ts';
import './task-meta.ts';
import { PLAIN_USER, SUBID_USER } from './test-users.ts';

/** Something of the machine that a test cannot do without. What is not listed by name is a program on the PATH. */
export type Requirement = keyof typeof PROBES | Program;

type Program =
  | 'aarch64-linux-gnu-as'
  | 'aarch64-linux-gnu-objcopy'
  | 'as'
  | 'bsdtar'
  | 'cc'
  | 'crun'
  | 'docker-registry'
  | 'faketime'
  | 'mmdebstrap'
  | 'objcopy'
  | 'openssl'
  | 'pasta'
  | 'python3'
  | 'qemu-aarch64-static'
  | 'runc'
  | 'script'
  | 'setcap'
  | 'setfattr'
  | 'skopeo'
  | 'slirp4netns'
  | 'strace'
  | 'tmux'
  | 'umoci'
  | 'zstd';

/**
 * Options for `describe` and `it` that skip, with the reason in the summary, where the machine lacks something.
 * Where the environment variable CI is set it throws instead: a machine of CI has everything, and silence would hide a hole. Only how
 * its kernel was set up is not ours to change.
 */
export function requires(...requirements: Requirement[]): TestOptions {
  const missing = requirements.map(explainMissing).filter((reason) => reason !== undefined);
  if (missing.length === 0) return {};
  const skipReason = missing.join(' and ');
  const isInstallable = requirements.some((one) => one !== 'control-groups' && explainMissing(one) !== undefined);
  if (isCi() && isInstallable) {
    throw new Error(
      `Cannot skip "${requirements.join(', ')}" in CI: ${skipReason} (scripts/install-test-deps.sh installs)`,
    );
  }
  return { skip: true, meta: { skipReason } };
}

/** Why `requirement` is not met here, as a clause; undefined where it is met. */
export function explainMissing(requirement: Requirement): string | undefined {
  if (isProbe(requirement)) return PROBES[requirement]();
  return onPath(requirement) ? undefined : `there is no ${requirement} on the PATH`;
}

const PROBES = {
  /** Root may make control groups that limit memory and processes. */
  'control-groups': () => (canMakeGroups() ? undefined : 'no control groups can be made here'),
  /** The initial user namespace, with the capabilities to mount, to make devices and to give files away. */
  root: () => (isPrivileged() ? undefined : 'the tests do not run as root'),
  /** An ordinary user may make a user namespace. */
  userns: () => (succeeds('unshare', '-Ur', 'true') ? undefined : 'the kernel grants no user namespace'),
  /** The users that scripts/install-test-deps.sh makes, one with a range of subordinate ids and one without. */
  'ordinary-users': () => explainMissingUsers(),
  /** Root may make pairs of network devices, and configure them. */
  veth: () => (canMakeDevices() ? undefined : 'no network devices can be made here, or there is no ip'),
  /** A busybox that runs alone in an image. */
  'static-busybox': () => (isStaticBusybox() ? undefined : '/bin/busybox is not there or not static'),
} satisfies Record<string, () => string | undefined>;

function isProbe(requirement: Requirement): requirement is keyof typeof PROBES {
  return requirement in PROBES;
}

function isCi(): boolean {
  const value = process.env['CI'];
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}

function onPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function succeeds(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

const CAP_SYS_CHROOT = 18n;
const CAP_SYS_ADMIN = 21n;
const CAP_MKNOD = 27n;

function isPrivileged(): boolean {
  if (process.geteuid?.() !== 0) return false;
  const effective = BigInt(
    `0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  const wanted = (1n << CAP_SYS_CHROOT) | (1n << CAP_SYS_ADMIN) | (1n << CAP_MKNOD);
  const initialNamespace = /^\s*0\s+0\s+4294967295\s*$/m.test(readFileSync('/proc/self/uid_map', 'utf8'));
  return initialNamespace && (effective & wanted) === wanted;
}

function explainMissingUsers(): string | undefined {
  if (!isPrivileged()) return 'only root can become another user';
  if (!succeeds('id', SUBID_USER) || !succeeds('id', PLAIN_USER))
    return `there are no users ${SUBID_USER} and ${PLAIN_USER}`;
  const hasRange = ['/etc/subuid', '/etc/subgid'].every((path) =>
    readFileSync(path, 'utf8').includes(`${SUBID_USER}:`),
  );
  if (!hasRange || !onPath('newuidmap')) return `${SUBID_USER} has no subordinate ids, or there is no newuidmap`;
  return undefined;
}

function canMakeGroups(): boolean {
  try {
    const group = createGroup('0'.repeat(64), { memory: 64 * 2 ** 20, pids: 100, cpusetCpus: '0' });
    for (const folder of group?.folders ?? []) rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function canMakeDevices(): boolean {
  return succeeds('unshare', '-n', 'ip', 'link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'other');
}

function isStaticBusybox(): boolean {
  if (!isExecutable('/bin/busybox')) return false;
  // The dynamic linker's name stands in the program header of everything that is linked dynamically.
  const head = execFileSync('head', ['-c', '4096', '/bin/busybox']).toString('latin1');
  return !/ld-[\w.-]*\.so/.test(head);
}
