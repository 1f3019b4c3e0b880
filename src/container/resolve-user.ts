import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { AccountFiles } from '../snapshot/account-files.ts';

/** Who the command runs as, in the ids of the container. */
export interface ContainerUser {
  uid: number;
  gid: number;
  /** All supplementary groups, `gid` first. */
  groups: number[];
  /** Home folder from /etc/passwd, `/` for users that it does not know. */
  home: string;
}

const MAX_ID = 2 ** 31 - 1; // runc's limit; ids above it are negative to some programs and a wildcard to some system calls
const MAX_GROUPS = 65536; // NGROUPS_MAX

/**
 * Turns USER of the image or `--user` into ids: `user`, `uid`, `user:group`, `uid:gid`, or empty for root.
 * Digits are always an id and never a name; any other word must be in the image's own /etc/passwd or /etc/group.
 * A user that is left out is root (`:group`); nothing else ever falls back to root. Without a group these are the user's groups of /etc/group, with one only that; `groups` are more.
 * @throws {ToolError} ERR_CONTAINER, with docker's texts
 */
export function resolveUser(user: string, accounts: AccountFiles, groups: readonly string[] = []): ContainerUser {
  const own = resolveAccount(user, accounts);
  return { ...own, groups: [...new Set([...own.groups, ...groups.map((group) => findGroup(group, accounts))])] };
}

function resolveAccount(user: string, accounts: AccountFiles): ContainerUser {
  const { name, group } = splitUser(user);
  const account = findAccount(name, accounts);
  if (group !== undefined) {
    const gid = findGroup(group, accounts);
    return { uid: account.uid, gid, groups: [gid], home: account.home };
  }
  const groups = new Set([account.gid]);
  // The primary group has to be among them: without it a program can shed the group's restrictions (CVE-2022-36109).
  if (account.name !== undefined) {
    for (const entry of readGroups(accounts)) {
      if (entry.members.includes(account.name)) groups.add(entry.gid);
      if (groups.size === MAX_GROUPS) break;
    }
  }
  return { uid: account.uid, gid: account.gid, groups: [...groups], home: account.home };
}

/** What is left out is as good as not there, as with docker. */
function splitUser(user: string): { name: string; group: string | undefined } {
  const colon = user.indexOf(':');
  const [name, group] = colon === -1 ? [user, ''] : [user.slice(0, colon), user.slice(colon + 1)];
  return { name: name === '' ? '0' : name, group: group === '' ? undefined : group };
}

interface Account {
  name: string | undefined;
  uid: number;
  gid: number;
  home: string;
}

function findAccount(wanted: string, accounts: AccountFiles): Account {
  if (isDigits(wanted)) {
    const uid = parseId(wanted) ?? outOfRange(wanted);
    for (const account of readAccounts(accounts)) if (account.uid === uid) return account;
    return { name: undefined, uid, gid: 0, home: '/' };
  }
  for (const account of readAccounts(accounts)) if (account.name === wanted) return account;
  throw cannotUse(wanted, `unable to find user ${printable(wanted)}: no matching entries in passwd file`);
}

function findGroup(wanted: string, accounts: AccountFiles): number {
  if (isDigits(wanted)) return parseId(wanted) ?? outOfRange(wanted);
  for (const group of readGroups(accounts)) if (group.name === wanted) return group.gid;
  throw cannotUse(wanted, `unable to find group ${printable(wanted)}: no matching entries in group file`);
}

/** Lines of /etc/passwd whose ids are numbers in range; the others are as good as absent. */
function* readAccounts(accounts: AccountFiles): Generator<Account> {
  for (const [name = '', , uidText = '', gidText = '', , home = ''] of fieldsOf(accounts.passwd)) {
    const [uid, gid] = [parseId(uidText), parseId(gidText)];
    if (name !== '' && uid !== undefined && gid !== undefined) yield { name, uid, gid, home: home === '' ? '/' : home };
  }
}

function* readGroups(accounts: AccountFiles): Generator<{ name: string; gid: number; members: string[] }> {
  for (const [name = '', , gidText = '', members = ''] of fieldsOf(accounts.group)) {
    const gid = parseId(gidText);
    if (name !== '' && gid !== undefined) yield { name, gid, members: members.split(',') };
  }
}

function* fieldsOf(text: string): Generator<string[]> {
  for (const line of text.split('\n')) if (!line.includes('\0')) yield line.split(':');
}

function isDigits(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

function parseId(text: string): number | undefined {
  const id = isDigits(text) ? Number(text) : MAX_ID + 1;
  return id <= MAX_ID ? id : undefined;
}

function outOfRange(text: string): never {
  throw cannotUse(text, `uids and gids must be in range 0-${MAX_ID}`);
}

function cannotUse(user: string, reason: string): ToolError {
  return new ToolError('ERR_CONTAINER', `Cannot run as user "${printable(user)}": ${reason}`);
}
