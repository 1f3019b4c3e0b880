import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type BigIntStats,
} from 'node:fs';
import { crc32 } from 'node:zlib';

import { FILE_WHITEOUT_XATTR } from '../linux/file-whiteout.ts';
import type { XattrCalls } from '../linux/libc-xattr.ts';
import { joinPath, toFsPath, type EntryPath } from './entry-path.ts';
import type { TreeNode } from './read-manifest.ts';
import type { TreeRecord } from './tree-record.ts';
import { comesFromArchive } from './xattr-policy.ts';

export interface Comparison {
  xattrs: XattrCalls;
  /** False where everything on disk belongs to one user, whatever the records say. */
  comparesOwners: boolean;
  /** `path` is latin1; `difference` is a clause about it. */
  onDifference: (path: EntryPath, difference: string) => void;
}

/** Compares what is in the root of this process with what a tree manifest says, content included. Throws system errors of reading. */
export function compareTree(root: TreeNode, comparison: Comparison): void {
  new TreeComparison(comparison).compareFolder('', root);
}

class TreeComparison {
  private readonly comparison: Comparison;
  /** Files with several names, by inode and by record. */
  private readonly recordOf = new Map<bigint, TreeRecord>();
  private readonly inodeOf = new Map<TreeRecord, bigint>();

  constructor(comparison: Comparison) {
    this.comparison = comparison;
  }

  compareFolder(path: EntryPath, node: TreeNode): void {
    const names = new Set(readdirSync(toFsPath(path), { encoding: 'latin1' }));
    for (const name of names) {
      if (!node.children.has(name)) this.report(joinPath(path, name), 'it is there, and should not be');
    }
    for (const [name, child] of node.children) {
      const childPath = joinPath(path, name);
      if (names.has(name)) this.compareNode(childPath, child);
      else this.report(childPath, 'it is missing');
    }
  }

  private compareNode(path: EntryPath, node: TreeNode): void {
    const { record } = node;
    if (record === undefined) {
      this.report(path, 'the manifest says nothing of this folder');
      return;
    }
    const stats = lstatSync(toFsPath(path), { bigint: true });
    const type = this.isFileWhiteout(path, stats) ? 'whiteout' : typeOf(stats);
    if (type !== record.type) {
      this.report(path, `it is a ${type} and should be a ${record.type}`);
      return;
    }
    this.compareAttributes(path, stats, record);
    this.compareDetails(path, stats, record);
    if (record.type === 'folder') this.compareFolder(path, node);
    else if (node.isLinked || stats.nlink > 1n) this.compareIdentity(path, stats, record);
  }

  /** What stands for a whiteout where the kernel makes no 0:0 device. */
  private isFileWhiteout(path: EntryPath, stats: BigIntStats): boolean {
    if (!stats.isFile() || stats.size > 0n) return false;
    const fd = openSync(toFsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return this.comparison.xattrs.get(fd, FILE_WHITEOUT_XATTR) !== undefined;
    } finally {
      closeSync(fd);
    }
  }

  private compareAttributes(path: EntryPath, stats: BigIntStats, record: TreeRecord): void {
    if ('mode' in record) this.expect(path, 'mode', [toOctal(stats.mode & 0o7777n), toOctal(record.mode)]);
    if ('uid' in record && this.comparison.comparesOwners) {
      this.expect(path, 'owner', [`${stats.uid}:${stats.gid}`, `${record.uid}:${record.gid}`]);
    }
    if ('mtime' in record && !isSameTime(stats.mtimeNs, record.mtime)) {
      this.expect(path, 'time', [`${stats.mtimeNs} ns`, record.mtime]);
    }
  }

  private compareDetails(path: EntryPath, stats: BigIntStats, record: TreeRecord): void {
    switch (record.type) {
      case 'file':
        this.compareContent(path, stats, record);
        break;
      case 'folder':
        this.compareXattrs(path, record.xattrs, record.isOpaque === true);
        break;
      case 'symlink':
        this.expect(path, 'target', [readlinkSync(toFsPath(path), 'latin1'), record.target]);
        break;
      case 'fifo':
      case 'whiteout':
      case 'hardlink':
      case 'removed':
    }
  }

  private compareContent(path: EntryPath, stats: BigIntStats, record: TreeRecord & { type: 'file' }): void {
    this.compareXattrs(path, record.xattrs, false);
    if (this.inodeOf.get(record) === stats.ino) return; // another name of it was read already
    if (Number(stats.size) !== record.size) this.expect(path, 'size', [String(stats.size), String(record.size)]);
    else if (checksumOf(path) !== record.crc32) this.report(path, 'its content is not what was unpacked');
  }

  private compareXattrs(path: EntryPath, wanted: Record<string, string> = {}, isOpaque = false): void {
    const fd = openSync(toFsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { xattrs } = this.comparison;
      const found = new Map(xattrs.list(fd).map((name) => [name, xattrs.get(fd, name)?.toString('base64') ?? '']));
      for (const [name, value] of Object.entries(wanted)) {
        if (found.get(name) !== value) this.report(path, `its extended attribute ${name} is not what was unpacked`);
      }
      for (const name of found.keys()) {
        if (Object.hasOwn(wanted, name) || !comesFromArchive(name)) continue;
        this.report(path, `its extended attribute ${name} was not unpacked`);
      }
      const opaque = [...found].some(([name, value]) => OPAQUE.has(name) && value === YES);
      if (opaque !== isOpaque) this.report(path, isOpaque ? 'it should be opaque' : 'it should not be opaque');
    } finally {
      closeSync(fd);
    }
  }

  /** Names of one file must be names of one file, and no others. */
  private compareIdentity(path: EntryPath, stats: BigIntStats, record: TreeRecord): void {
    const isSame =
      (this.recordOf.get(stats.ino) ?? record) === record && (this.inodeOf.get(record) ?? stats.ino) === stats.ino;
    if (!isSame) this.report(path, 'it is a hard link of another file than was unpacked');
    this.recordOf.set(stats.ino, record);
    this.inodeOf.set(record, stats.ino);
  }

  private expect(path: EntryPath, what: string, [actual, wanted]: [string, string]): void {
    if (actual !== wanted) this.report(path, `its ${what} is ${actual} and should be ${wanted}`);
  }

  private report(path: EntryPath, difference: string): void {
    this.comparison.onDifference(path, difference);
  }
}

const OPAQUE = new Set(['trusted.overlay.opaque', 'user.overlay.opaque']);
const YES = Buffer.from('y').toString('base64');

function typeOf(stats: BigIntStats): TreeRecord['type'] | 'socket' | 'device' {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  return stats.isCharacterDevice() && stats.rdev === 0n ? 'whiteout' : 'device';
}

function toOctal(mode: number | bigint): string {
  return mode.toString(8).padStart(4, '0');
}

const MAX_SECONDS = 2 ** 31; // some file systems end there, and clamp

/** File systems may keep time less exactly than it was given. */
function isSameTime(actual: bigint, recorded: string): boolean {
  const [seconds = '', nanoseconds = ''] = recorded.split('.');
  if (Number(seconds) >= MAX_SECONDS) return true;
  const wanted = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  return [1n, 100n, 1_000n, 1_000_000n, 1_000_000_000n].some((unit) => wanted - (wanted % unit) === actual);
}

const READ_SIZE = 1024 * 1024;

function checksumOf(path: EntryPath): number {
  let checksum = 0;
  const buffer = Buffer.allocUnsafe(READ_SIZE);
  const fd = openSync(toFsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
      checksum = crc32(buffer.subarray(0, count), checksum);
  } finally {
    closeSync(fd);
  }
  return checksum;
}
