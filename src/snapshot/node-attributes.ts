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
    copyXattrs: (from, to, root) => copyXattrs(xattrs, { from, to, root }),
    setModified(path, mtimeNs) {
      const seconds = mtimeNs / NANOSECONDS - (mtimeNs % NANOSECONDS < 0n ? 1n : 0n);
      files.setPathTimes(path, { seconds: Number(seconds), nanoseconds: Number(mtimeNs - seconds * NANOSECONDS) });
    },
  };
}

function copyXattrs(
  xattrs: XattrCalls,
  { from, to, root }: { from: Buffer; to: Buffer; root: number | undefined },
): void {
  withOpen(from, (source) => {
    const names = xattrs.list(source).filter((name) => !/^(trusted|user)\.overlay\./.test(name));
    if (names.length === 0) return;
    withOpen(to, (target) => {
      for (const name of names) {
        const value = xattrs.get(source, name);
        if (value !== undefined) xattrs.set(target, name, name === CAPABILITIES ? capabilitiesOf(value, root) : value);
      }
    });
  });
}

const CAPABILITIES = 'security.capability';
const HEAD = 20; // bytes of a struct vfs_cap_data of revision 2: include/uapi/linux/capability.h

/** Revision 3 says to which user namespace they belong, by the id of its root. */
function capabilitiesOf(value: Buffer, root: number | undefined): Buffer {
  if (root === undefined || value.length < HEAD) return value;
  const renewed = Buffer.concat([value.subarray(0, HEAD), Buffer.alloc(4)]);
  renewed.writeUInt8(3, 3);
  renewed.writeUInt32LE(root, HEAD);
  return renewed;
}

function withOpen(path: Buffer, use: (fd: number) => void): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
