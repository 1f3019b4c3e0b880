import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { bindLibc } from '../../linux/libc.ts';
import { bindXattrCalls } from '../../linux/libc-xattr.ts';

/** Whether a program gets rights that its caller does not have: the set-user-ID bit of root's, or capabilities. */
export function hasFilePrivileges(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch {
    return false; // not for this user to read: nobody does that to newuidmap
  }
  try {
    const { mode, uid } = fstatSync(fd);
    if ((mode & S_ISUID) !== 0 && uid === 0) return true;
    return bindXattrCalls(bindLibc()).get(fd, 'security.capability') !== undefined;
  } catch {
    return false; // without koffi nobody can tell
  } finally {
    closeSync(fd);
  }
}

const S_ISUID = 0o4000;
