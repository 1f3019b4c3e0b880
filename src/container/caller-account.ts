import { userInfo } from 'node:os';
import { hasErrno } from '../fs/disk-error.ts';
import type { Ids } from '../linux/ownership.ts';
import { readIfThere } from '../linux/read-if-there.ts';
import { parseUserName } from '../linux/subordinate-ids.ts';
import type { AccountFiles } from '../snapshot/account-files.ts';
import { isWithin } from './container-path.ts';

/** Who calls, as the host knows it. */
export interface HostAccount {
  name: string;
  group: string;
  home: string;
}

/** Where there is no such user or group, its number is the name. */
export function readHostAccount({ uid, gid }: Ids): HostAccount {
  return { ...hostUser(uid), group: parseUserName(readIfThere('/etc/group'), gid) ?? String(gid) };
}

export interface CallerAccountRequest {
  /** What the caller is inside. */
  ids: Ids;
  /** Undefined where the caller has other numbers inside than outside: then it is nobody in particular. */
  host: HostAccount | undefined;
  /** The image's. */
  accounts: AccountFiles;
  /** Where the command starts. */
  workingFolder: string;
  /** Where the user mounts something. */
  targets: readonly string[];
}

/** Lines for the image's files of accounts; `home` is that of the new user, if there is one. */
export interface CallerAccount {
  entries: AccountFiles;
  home: string | undefined;
}

/**
 * The lines by which a container knows its caller, as podman adds them: none where the image knows the name or the number already, or
 * has no such file. The home folder is the caller's own if that is mounted inside, else the working folder.
 */
export function callerAccount(request: CallerAccountRequest): CallerAccount {
  const { ids, accounts, workingFolder, targets } = request;
  const { name, group, home: hostHome } = request.host ?? nobody(ids, workingFolder);
  const wanted = targets.some((target) => isWithin(hostHome, target)) ? hostHome : workingFolder;
  const home = /[:\n]/.test(wanted) ? '/' : wanted; // it would end the field, or the line
  const comment = request.host === undefined ? 'container user' : name;
  const user = `${name}:*:${ids.uid}:${ids.gid}:${comment}:${home}:/bin/sh`;
  const passwd = newLine(accounts.passwd, { name, id: ids.uid, line: user });
  return {
    entries: {
      passwd,
      group: newLine(accounts.group, { name: group, id: ids.gid, line: `${group}:x:${ids.gid}:${name}` }),
    },
    home: passwd === '' ? undefined : home,
  };
}

function nobody({ uid, gid }: Ids, home: string): HostAccount {
  return { name: String(uid), group: String(gid), home };
}

function newLine(file: string, { name, id, line }: { name: string; id: number; line: string }): string {
  const isKnown = file.split('\n').some((known) => {
    const [knownName, , knownId] = known.split(':');
    return knownName === name || knownId === String(id);
  });
  if (file === '' || isKnown) return '';
  return `${file.endsWith('\n') ? '' : '\n'}${line}\n`;
}

function hostUser(uid: number): { name: string; home: string } {
  try {
    const { username, homedir } = userInfo();
    return { name: username, home: homedir };
  } catch (error) {
    if (hasErrno(error, 'ERR_SYSTEM_ERROR')) return { name: String(uid), home: '/' }; // in no list of users
    throw error;
  }
}
