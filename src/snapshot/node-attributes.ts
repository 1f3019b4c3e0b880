import { closeSync, constants, openSync } from 'node:fs';
import { bindFileCalls } from '../linux/libc-files.ts';
import { bindXattrCalls } from '../linux/libc-xattr.ts';
import type { XattrCalls } from '../linux/libc-xattr.ts';
import { bindLibc } from '../linux/libc.ts';
import type { NodeAttributes } from './copy-merged-tree.ts';

const NANOSECONDS = 1_000_000_000n;

/** What Node's fs cannot do while copying a tree, through libc. */
export function libcAttributes(): NodeAttributes {
  const libc = bindLibc();
  const files = bindFileCalls(libc);
  const xattrs = bindXattrCalls(libc);
  return {
    makeNode: (path, stats) => files.makeNode(path, stats.mode, BigInt(stats.rdev)),
    copyXattrs: (from, to) => copyXattrs(xattrs, from, to),
    setModified(path, mtimeNs) {
      const seconds = mtimeNs / NANOSECONDS - (mtimeNs % NANOSECONDS < 0n ? 1n : 0n);
      files.setPathTimes(path, { seconds: Number(seconds), nanoseconds: Number(mtimeNs - seconds * NANOSECONDS) });
    },
  };
}

function copyXattrs(xattrs: XattrCalls, from: Buffer, to: Buffer): void {
  withOpen(from, (source) => {
    const names = xattrs.list(source).filter((name) => !/^(trusted|user)\.overlay\./.test(name));
    if (names.length === 0) return;
    withOpen(to, (target) => {
      for (const name of names) {
        const value = xattrs.get(source, name);
        if (value !== undefined) xattrs.set(target, name, value);
      }
    });
  });
}

function withOpen(path: Buffer, use: (fd: number) => void): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
