import { accessSync, constants, existsSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { findMount } from '../../fs/find-mount.ts';
import { findControllers } from '../../linux/control-groups.ts';
import type { Controller } from '../../linux/control-groups.ts';
import { describeHost, readHostSources } from '../../linux/host-facts.ts';
import { findProgram } from '../../linux/find-program.ts';
import type { IdMapToolFacts, MachineFacts, OptionalProgram } from './machine-facts.ts';
import { hasFilePrivileges } from './file-privileges.ts';

/** What can be read of this machine without trying anything. Nothing is changed. */
export function readMachineFacts(env: MachineFacts['env']): Omit<MachineFacts, 'store' | 'trials'> {
  const sources = readHostSources();
  const mountinfo = read('/proc/self/mountinfo');
  return {
    host: describeHost(sources),
    sources,
    machine: process.arch,
    nodeVersion: process.version,
    osRelease: read('/etc/os-release'),
    mountinfo,
    namespaces: readdirSync('/proc/self/ns'),
    outerContainer: outerContainer(env),
    idMapTools: (['newuidmap', 'newgidmap'] as const).map((name) => idMapToolFacts(name, mountinfo)),
    legacyTiocsti: read('/proc/sys/dev/tty/legacy_tiocsti').trim(),
    keyUsers: keyUsersOf(sources.uid),
    apparmorProfile: apparmorProfile(),
    selinux: read('/sys/fs/selinux/enforce').trim(),
    controlGroups: controllerVersions(mountinfo),
    programs: {
      pasta: findProgram('pasta'),
      slirp4netns: findProgram('slirp4netns'),
      runc: findOnPath('runc', env),
      crun: findOnPath('crun', env),
    } satisfies Record<OptionalProgram, string | undefined>,
    tunDevice: tunDevice(),
    env,
    extraCaReadable: extraCaReadable(env['NODE_EXTRA_CA_CERTS']),
  };
}

/** The marks that engines leave in their containers, and `container` that systemd asks them to set. */
function outerContainer(env: MachineFacts['env']): string | undefined {
  if (existsSync('/.dockerenv')) return 'docker';
  if (existsSync('/run/.containerenv')) return 'podman';
  if ((env['KUBERNETES_SERVICE_HOST'] ?? '') !== '') return 'Kubernetes';
  const named = env['container'] ?? '';
  return named === '' ? undefined : named;
}

function idMapToolFacts(name: IdMapToolFacts['name'], mountinfo: string): IdMapToolFacts {
  const path = findProgram(name);
  const isHonoured = path !== undefined && findMount(path, mountinfo)?.flags.includes('nosuid') !== true;
  return { name, path, hasPrivileges: isHonoured && hasFilePrivileges(path) };
}

/** `1000: 9 8/8 3/1000000 40/25000000`; proc_key-users(5) */
function keyUsersOf(uid: number): string {
  const lines = read('/proc/key-users').split('\n');
  return lines.find((line) => line.trimStart().startsWith(`${uid}:`)) ?? '';
}

function apparmorProfile(): string | undefined {
  if (read('/sys/module/apparmor/parameters/enabled').trim() !== 'Y') return undefined;
  return read('/proc/self/attr/apparmor/current').trim() || read('/proc/self/attr/current').trim();
}

function controllerVersions(mountinfo: string): Map<Controller, 1 | 2> {
  const places = findControllers({ mountinfo, cgroup: read('/proc/self/cgroup'), read });
  return new Map([...places].map(([controller, { version }]) => [controller, version]));
}

function findOnPath(name: string, env: MachineFacts['env']): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.map((folder) => join(folder, name)).find((path) => canAccess(path, constants.X_OK));
}

function tunDevice(): MachineFacts['tunDevice'] {
  if (!existsSync('/dev/net/tun')) return 'missing';
  return canAccess('/dev/net/tun', constants.R_OK | constants.W_OK) ? 'usable' : 'forbidden';
}

function extraCaReadable(path: string | undefined): boolean | undefined {
  return path === undefined || path === '' ? undefined : canAccess(path, constants.R_OK);
}

function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** '' for what is not there, and for what may not be read: neither tells anything. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
