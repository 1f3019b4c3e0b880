import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { release, userInfo } from 'node:os';
import { ToolError } from '../errors.ts';
import { hasCapabilities, type Capability } from './capabilities.ts';
import {
  NO_NEW_PRIVILEGES,
  NO_PROC,
  ONE_ID,
  noIdMapToolsObstacle,
  noIdsObstacle,
  obstacleText,
  userNamespaceObstacle,
  type Obstacle,
} from './obstacles.ts';
import { findProgram } from './find-program.ts';
import { chooseOwnership, type IdRange, type Ownership } from './ownership.ts';
import { readIfThere } from './read-if-there.ts';
import { parseSubordinateIds, parseUserName } from './subordinate-ids.ts';

/** What this process may do on this machine. */
export interface HostFacts {
  /** Of the effective user and group. */
  uid: number;
  gid: number;
  /** The effective set, bit n for capability n. */
  capabilities: bigint;
  noNewPrivileges: boolean;
  /** A filter of system calls is around this process already: seccomp(2). */
  isFiltered: boolean;
  initialUserNamespace: boolean;
  /** Whether this process has what containers with real ids take, and is in the initial user namespace. */
  privileged: boolean;
  /** The best that is possible here. */
  ownership: Ownership;
  /** `6.8.0-41-generic` */
  kernelRelease: string;
  /** What forbids ordinary users to create user namespaces; undefined when nothing is known to. */
  userNamespaceObstacle: Obstacle | undefined;
  /** What keeps the ownership of an ordinary user from being 'mapped'; undefined when nothing does. */
  mappingObstacle: Obstacle | undefined;
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
  /** /etc/os-release, where something is to be installed. */
  osRelease: string;
}

/** Looks at this process and at files of /proc and /etc; about a millisecond, nothing is started. @throws {ToolError} ERR_HOST without /proc */
export function readHostFacts(): HostFacts {
  return describeHost(readHostSources());
}

/** What `readHostFacts` looks at. @throws {ToolError} ERR_HOST without /proc */
export function readHostSources(): HostSources {
  if (!existsSync('/proc/self/status')) {
    throw new ToolError('ERR_HOST', 'Cannot look at this process: there is no /proc', { hint: obstacleText(NO_PROC) });
  }
  const uid = process.geteuid?.() ?? 0;
  const idMapTools = findProgram('newuidmap') !== undefined && findProgram('newgidmap') !== undefined;
  return {
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
    idMapTools,
    osRelease: idMapTools ? '' : readIfThere('/etc/os-release'),
  };
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
    isFiltered: statusField(sources.status, 'Seccomp') === '2', // SECCOMP_MODE_FILTER
    initialUserNamespace,
    privileged,
    ownership,
    kernelRelease,
    userNamespaceObstacle: privileged ? undefined : userNamespaceObstacle(sources, { uid, initialUserNamespace }),
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

function mappingObstacle(sources: HostSources, noNewPrivileges: boolean): Obstacle {
  const { uid, userName: name, subuid, subgid } = sources;
  const isInitial = sources.userNamespace === INITIAL_USER_NAMESPACE;
  if (!isInitial && parseIdMap(sources.uidMap).every(({ count }) => count === 1)) return ONE_ID;
  if (noNewPrivileges) return NO_NEW_PRIVILEGES;
  if (!sources.idMapTools) return noIdMapToolsObstacle(sources.osRelease, uid);
  const isMissing = (text: string): boolean => parseSubordinateIds(text, { name, uid }).length === 0;
  const missing = [...(isMissing(subuid) ? ['/etc/subuid'] : []), ...(isMissing(subgid) ? ['/etc/subgid'] : [])];
  return noIdsObstacle({ uid, name, subuid, subgid, missing: missing.length > 0 ? missing : ID_FILES });
}

/** Both grant ids, but only the caller's own. */
const ID_FILES: readonly string[] = ['/etc/subuid', '/etc/subgid'];

/** Users that are not in /etc/passwd: LDAP and the like, through the C library. */
function userNameOfDirectory(): string | undefined {
  try {
    return userInfo().username;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR') return undefined; // no such user at all
    throw error;
  }
}
