import { closeSync, constants, lstatSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

import { bindLibc } from '../../../src/linux/libc.ts';
import { bindXattrCalls, type XattrCalls } from '../../../src/linux/libc-xattr.ts';

/**
 * Everything below `root`, raw, as lines by path (latin1): type, mode, owner, modification time in seconds, and then what the type
 * has: content of a file (cut), target of a symlink, numbers of a device, names and values of attributes. The names of one file
 * share a `#` number.
 */
export function readTree(root: string, xattrs: XattrCalls = bindXattrCalls(bindLibc())): Record<string, string> {
  const inodes = new Map<bigint, number>();
  const tree = Object.create(null) as Record<string, string>; // a file may be called __proto__
  const visit = (folder: string): void => {
    const names = readdirSync(Buffer.from(`${root}/${folder}`, 'latin1'), { encoding: 'latin1' });
    for (const name of names.toSorted()) {
      const path = folder === '' ? name : `${folder}/${name}`;
      const bytes = Buffer.from(`${root}/${path}`, 'latin1');
      const stats = lstatSync(bytes, { bigint: true });
      tree[path] = [...attributes(stats), ...details({ bytes, stats, inodes, xattrs })].join(' ');
      if (stats.isDirectory()) visit(path);
    }
  };
  visit('');
  return tree;
}

function attributes(stats: BigIntStats): string[] {
  const mode = Number(stats.mode & 0o7777n).toString(8);
  return [typeOf(stats), mode.padStart(4, '0'), `${stats.uid}:${stats.gid}`, String(stats.mtimeNs / 1_000_000_000n)];
}

function typeOf(stats: BigIntStats): string {
  if (stats.isFile()) return 'F';
  if (stats.isDirectory()) return 'D';
  if (stats.isSymbolicLink()) return 'S';
  if (stats.isFIFO()) return 'P';
  if (stats.isBlockDevice()) return 'B';
  return stats.rdev === 0n ? 'W' : 'C';
}

interface Details {
  bytes: Buffer;
  stats: BigIntStats;
  inodes: Map<bigint, number>;
  xattrs: XattrCalls;
}

function details({ bytes, stats, inodes, xattrs }: Details): string[] {
  const found: string[] = [];
  if (stats.isFile()) found.push(JSON.stringify(readFileSync(bytes, 'latin1').slice(0, 40)));
  if (stats.isSymbolicLink()) found.push(`-> ${readlinkSync(bytes, 'latin1')}`);
  if (stats.isBlockDevice() || (stats.isCharacterDevice() && stats.rdev !== 0n)) found.push(String(stats.rdev));
  if (!stats.isDirectory() && stats.nlink > 1n) {
    if (!inodes.has(stats.ino)) inodes.set(stats.ino, inodes.size + 1);
    found.push(`#${inodes.get(stats.ino)}`);
  }
  if (stats.isFile() || stats.isDirectory()) found.push(...readXattrs(bytes, xattrs));
  return found;
}

function readXattrs(path: Buffer, calls: XattrCalls): string[] {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const names = calls.list(fd).filter((name) => name !== 'security.selinux');
    return names.toSorted().map((name) => `${name}=${calls.get(fd, name)!.toString('latin1')}`);
  } finally {
    closeSync(fd);
  }
}
