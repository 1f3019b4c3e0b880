import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from 'node:fs';

/** What a file is in an image: all that a layer can say about it. */
export interface TreeEntry {
  type: 'file' | 'folder' | 'symlink' | 'fifo' | 'character device' | 'block device' | 'socket';
  /** Permission bits with setuid, setgid and sticky, octal. */
  mode: string;
  uid: number;
  gid: number;
  /** Bytes; only of files. */
  size?: bigint;
  /** SHA-256 of the content; only of files. */
  digest?: string;
  /** Nanoseconds since the epoch. */
  mtime?: bigint;
  /** Name -> value in hexadecimal. */
  xattrs: Record<string, string>;
  target?: string;
  /** major:minor. */
  device?: string;
  /** The first path of the files that are the same inode, where there are several. */
  sameFileAs?: string;
}

/** Path from the root, `/` first, one character per byte (latin1) -> entry. */
export type Tree = Map<string, TreeEntry>;

/**
 * Lists everything under `root` except the trees at `skip` (absolute paths in the listing).
 * Works on a folder and on the root of another mount namespace, `/proc/<pid>/root`. Needs root and `getfattr`.
 */
export function listTree(root: string, skip: ReadonlySet<string> = new Set()): Tree {
  const tree: Tree = new Map();
  const firstPaths = new Map<string, string>();

  function visit(path: string): void {
    if (skip.has(path)) return;
    const source = Buffer.from(`${root}${path}`, 'latin1');
    const stats = lstatSync(source, { bigint: true });
    const entry = describeEntry(source, stats);
    if (entry.type !== 'folder' && stats.nlink > 1n) {
      const inode = `${stats.dev}:${stats.ino}`;
      entry.sameFileAs = firstPaths.get(inode) ?? path;
      firstPaths.set(inode, entry.sameFileAs);
    }
    tree.set(path, entry);
    if (entry.type !== 'folder') return;
    const names = readdirSync(source, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
    for (const name of names.toSorted()) visit(path === '/' ? `/${name}` : `${path}/${name}`);
  }

  visit('/');
  for (const [path, xattrs] of readXattrs(root, tree.keys())) Object.assign(tree.get(path) ?? {}, { xattrs });
  return tree;
}

/** What differs from `expected` to `actual`, one line each, the first `limit` of them. */
export function diffTrees(expected: Tree, actual: Tree, limit = 40): string[] {
  const lines: string[] = [];
  for (const path of [...new Set([...expected.keys(), ...actual.keys()])].toSorted()) {
    const [before, after] = [expected.get(path), actual.get(path)];
    if (before === undefined) lines.push(`${path}: is there, and should not be`);
    else if (after === undefined) lines.push(`${path}: is missing (${before.type})`);
    else lines.push(...diffEntries(path, before, after));
  }
  return lines.length <= limit ? lines : [...lines.slice(0, limit), `… and ${lines.length - limit} more`];
}

function diffEntries(path: string, before: TreeEntry, after: TreeEntry): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof TreeEntry>;
  return [...keys]
    .filter((key) => show(before[key]) !== show(after[key]))
    .map((key) => `${path}: ${key} is ${show(after[key])}, should be ${show(before[key])}`);
}

function show(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return JSON.stringify(Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function describeEntry(source: Buffer, stats: BigIntStats): TreeEntry {
  const entry: TreeEntry = {
    type: typeOf(stats),
    mode: (stats.mode & 0o7777n).toString(8).padStart(4, '0'),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: stats.mtimeNs,
    xattrs: {},
  };
  if (entry.type === 'file') Object.assign(entry, { size: stats.size, digest: digestOf(source) });
  if (entry.type === 'symlink') entry.target = readlinkSync(source, { encoding: 'buffer' }).toString('latin1');
  if (entry.type.endsWith('device')) entry.device = deviceNumbers(stats.rdev);
  return entry;
}

function typeOf(stats: BigIntStats): TreeEntry['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isCharacterDevice()) return 'character device';
  return stats.isBlockDevice() ? 'block device' : 'socket';
}

/** Linux: minor in bits 0 to 7 and 20 up, major in bits 8 to 19. */
function deviceNumbers(rdev: bigint): string {
  return `${(rdev >> 8n) & 0xfffn}:${(rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n)}`;
}

function digestOf(source: Buffer): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  const fd = openSync(source, 'r');
  try {
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
      hash.update(buffer.subarray(0, count));
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

/**
 * All extended attributes of `paths` beneath `root`, from `getfattr`: Node has no call for them.
 * It prints a block per file: `# file: <path>`, with `\ooo` for special bytes, and `name=0x<hex>` lines.
 */
function readXattrs(root: string, paths: Iterable<string>): Map<string, Record<string, string>> {
  const getfattr = ['getfattr', '--no-dereference', '--absolute-names', '--match=-', '--encoding=hex', '--dump'];
  const text = execFileSync('xargs', ['--null', ...getfattr], {
    // Not as arguments: those are text for Node, and paths need not be.
    input: Buffer.from([...paths].map((path) => `${root}${path}`).join('\0'), 'latin1'),
    encoding: 'latin1',
    maxBuffer: 1 << 28,
  });
  const found = new Map<string, Record<string, string>>();
  for (const block of text.split('\n\n')) {
    const [head, ...lines] = block.split('\n').filter((line) => line !== '');
    if (head === undefined) continue;
    const path = unescapeOctal(head.slice('# file: '.length)).slice(root.length);
    found.set(path, Object.fromEntries(lines.map((line) => splitAtFirst(line, '='))));
  }
  return found;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function splitAtFirst(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}
