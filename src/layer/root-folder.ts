import { chmodSync, chownSync, closeSync, constants, fstatSync, openSync } from 'node:fs';

import type { XattrCalls } from '../linux/libc-xattr.ts';
import type { Comparison } from './compare-tree.ts';
import { comesFromArchive } from './xattr-policy.ts';

const MODE = 0o755;
const DEFAULT_ACL = 'system.posix_acl_default';

/** The root of a layer is not the archive's to decide; and nothing in it may inherit an access control list of the store's. */
export function prepareRoot(xattrs: XattrCalls): void {
  withRoot((fd) => {
    if (xattrs.get(fd, DEFAULT_ACL) !== undefined) xattrs.remove(fd, DEFAULT_ACL);
    chownSync('/', 0, 0);
    chmodSync('/', MODE);
  });
}

/** Compares the root of this process with what `prepareRoot` has made of it. */
export function compareRoot({ xattrs, comparesOwners, onDifference }: Comparison): void {
  withRoot((fd) => {
    const { mode, uid, gid } = fstatSync(fd);
    const permissions = mode & 0o7777;
    if (permissions !== MODE) onDifference('.', `its mode is ${octal(permissions)} and should be ${octal(MODE)}`);
    if (comparesOwners && (uid !== 0 || gid !== 0)) onDifference('.', `its owner is ${uid}:${gid} and should be 0:0`);
    for (const name of xattrs.list(fd)) {
      if (comesFromArchive(name)) onDifference('.', `its extended attribute ${name} was not unpacked`);
    }
  });
}

function withRoot(work: (fd: number) => void): void {
  const fd = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
