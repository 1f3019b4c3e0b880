import { readFileSync, readlinkSync } from 'node:fs';
import { release, userInfo } from 'node:os';
import { hasCapabilities, type Capability } from './capabilities.ts';
import { findProgram } from './find-program.ts';
import { chooseOwnership, type IdRange, type Ownership } from './ownership.ts';
import { parseSubordinateIds, parseUserName } from './subordinate-ids.ts';

/** What this process may do on this machine. */
export interface HostFacts {
  /** Of the effective user and group. */
  uid: number;
  gid: number;
  /** The effective set, bit n for capability n. */
  capabilities: bigint;
  noNewPrivileges: boolean;
  initialUserNamespace: boolean;
  /** Whether this process has what containers with real ids take, and is in the initial user namespace. */
  privileged: boolean;
  /** The best that is possible here. */
  ownership: Ownership;
  /** `6.8.0-41-generic` */
  kernelRelease: string;
  /** What forbids ordinary users to create user namespaces, with the remedy, as a sentence; undefined when nothing is known to. */
  userNamespaceObstacle: string | undefined;
  /** What keeps the ownership of an ordinary user from being 'mapped', with the remedy, as a sentence; undefined when nothing does. */
  mappingObstacle: string | undefined;
}

/** What the facts are made of. Texts of files are empty where there is no such file. */
export interface HostSources {
  uid: number;
  gid: number;
  kernelRelease: string;
  /** Of /proc/self: status, uid_map, gid_map, and where ns/user leads. */
  status: string;
  uidMap: string;
  gidMap: string;
  userNamespace: string;
  /** Of /proc/sys: user.max_user_namespaces and, on some distributions, two of kernel. */
  maxUserNamespaces: string;
  unprivilegedUserNamespaces: string;
  apparmorRestriction: string;
  userName: string | undefined;
  /** /etc/subuid and /etc/subgid. */
  subuid: string;
  subgid: string;
  /** newuidmap and newgidmap can be executed. */
  idMapTools: boolean;
}

/** Looks at this process and at files of /proc and /etc; about a millisecond, nothing is started. Throws what readFileSync throws without /proc. */
export function readHostFacts(): HostFacts {
  const uid = process.geteuid?.() ?? 0;
  return describeHost({
    uid,
    gid: process.getegid?.() ?? 0,
    kernelRelease: release(),
    status: readFileSync('/proc/self/status', 'utf8'),
    uidMap: readFileSync('/proc/self/uid_map', 'utf8'),
    gidMap: readFileSync('/proc/self/gid_map', 'utf8'),
    userNamespace: readlinkSync('/proc/self/ns/user'),
    maxUserNamespaces: readIfThere('/proc/sys/user/max_user_namespaces'),
    unprivilegedUserNamespaces: readIfThere('/proc/sys/kernel/unprivileged_userns_clone'),
    apparmorRestriction: readIfThere('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
    userName: parseUserName(readIfThere('/etc/passwd'), uid) ?? userNameOfDirectory(),
    subuid: readIfThere('/etc/subuid'),
    subgid: readIfThere('/etc/subgid'),
    idMapTools: findProgram('newuidmap') !== undefined && findProgram('newgidmap') !== undefined,
  });
}

/** The facts that follow from the sources. */
export function describeHost(sources: HostSources): HostFacts {
  const { uid, gid, kernelRelease } = sources;
  const capabilities = BigInt(`0x${statusField(sources.status, 'CapEff') || '0'}`);
  const noNewPrivileges = statusField(sources.status, 'NoNewPrivs') === '1';
  const initialUserNamespace = sources.userNamespace === INITIAL_USER_NAMESPACE;
  const privileged = initialUserNamespace && hasCapabilities(capabilities, NEEDED);
  const user = { name: sources.userName, uid };
  const subordinateUids = parseSubordinateIds(sources.subuid, user);
  const subordinateGids = parseSubordinateIds(sources.subgid, user);
  const ownership = chooseOwnership({
    uid,
    gid,
    privileged,
    mapsAnyId: hasCapabilities(capabilities, ['SETUID', 'SETGID']),
    idMapTools: sources.idMapTools && !noNewPrivileges,
    ownUids: parseIdMap(sources.uidMap),
    ownGids: parseIdMap(sources.gidMap),
    subordinateUids,
    subordinateGids,
  });
  return {
    uid,
    gid,
    capabilities,
    noNewPrivileges,
    initialUserNamespace,
    privileged,
    ownership,
    kernelRelease,
    userNamespaceObstacle: privileged ? undefined : userNamespaceObstacle(sources),
    mappingObstacle: ownership.kind === 'single' ? mappingObstacle(sources, noNewPrivileges) : undefined,
  };
}

// PROC_USER_INIT_INO in include/linux/proc_ns.h. The maps cannot tell: a namespace may map all ids to themselves.
const INITIAL_USER_NAMESPACE = 'user:[4026531837]';

/** For mounts, pivot_root and namespaces; for files of any owner; for a container's own capabilities. */
const NEEDED: readonly Capability[] = [
  'SYS_ADMIN',
  'SYS_CHROOT',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'MKNOD',
  'SETFCAP',
  'SETUID',
  'SETGID',
  'SETPCAP',
  'KILL',
];

function statusField(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
}

function parseIdMap(text: string): IdRange[] {
  const ranges: IdRange[] = [];
  for (const line of text.trim().split('\n')) {
    const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
    if (inside !== undefined && outside !== undefined && count !== undefined) ranges.push({ inside, outside, count });
  }
  return ranges;
}

function userNamespaceObstacle(sources: HostSources): string | undefined {
  if (sources.maxUserNamespaces.trim() === '0') {
    return 'User namespaces are switched off: set the sysctl user.max_user_namespaces above 0.';
  }
  if (sources.unprivilegedUserNamespaces.trim() === '0') {
    return 'User namespaces are for root only here: set the sysctl kernel.unprivileged_userns_clone to 1.';
  }
  if (sources.apparmorRestriction.trim() === '1') {
    return (
      'AppArmor takes the capabilities away from user namespaces of ordinary users here: ' +
      'set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0, or load a profile for this program that allows userns.'
    );
  }
  return undefined;
}

function mappingObstacle({ idMapTools, userName, uid }: HostSources, noNewPrivileges: boolean): string {
  if (noNewPrivileges) return 'This process runs with no_new_privs, so that newuidmap would get no privileges.';
  if (!idMapTools)
    return 'There is no newuidmap or newgidmap: install the package uidmap or, elsewhere, shadow-utils or shadow.';
  return `No ids are granted to this user: add a line like "${userName ?? uid}:100000:65536" to both /etc/subuid and /etc/subgid.`;
}

/** Users that are not in /etc/passwd: LDAP and the like, through the C library. */
function userNameOfDirectory(): string | undefined {
  try {
    return userInfo().username;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR') return undefined; // no such user at all
    throw error;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) return '';
    throw error;
  }
}
