import { closeSync, constants, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { isToolError } from '../../../src/errors.ts';
import { applyLayer } from '../../../src/layer/apply-layer.ts';
import { compareTree } from '../../../src/layer/compare-tree.ts';
import { readManifest } from '../../../src/layer/read-manifest.ts';
import { bindFileCalls } from '../../../src/linux/libc-files.ts';
import { bindProcessCalls } from '../../../src/linux/libc-process.ts';
import { bindXattrCalls } from '../../../src/linux/libc-xattr.ts';
import { bindLibc, cString } from '../../../src/linux/libc.ts';
import { O } from '../../../src/linux/path-flags.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { readTree } from './read-tree.ts';

/**
 * A program that unpacks many chains of layers without starting a process for each. Per line of its standard input, a JSON array of
 * archives in base64, bottom first, it answers a line: the tree that overlayfs of this kernel makes of the chain, or the code of
 * the error that refused it. Each tree is compared with its manifest. Needs root and a mount namespace of its own; its argument is an empty folder.
 */
const libc = bindLibc();
const self = bindProcessCalls(libc);
const system = { files: bindFileCalls(libc), xattrs: bindXattrCalls(libc), zstd: undefined };
const mount = libc.bind('mount', 'int', ['void *', 'void *', 'void *', 'uint64', 'void *']);
const umount = libc.bind('umount', 'int', ['void *']);
const folder = process.argv[2]!;
const hostRoot = openSync('/', O.PATH | constants.O_DIRECTORY);
process.umask(0);

async function applyChain(archives: Buffer[]): Promise<Record<string, string> | string> {
  const place = join(folder, 'chain');
  mkdirSync(place);
  const roots = [join(place, 'empty')]; // overlayfs without an upper layer wants two
  mkdirSync(roots[0]!);
  try {
    for (const [index, archive] of archives.entries()) {
      const root = join(place, String(index));
      mkdirSync(root);
      await apply(archive, { root, blobPath: join(place, 'blob'), lowers: roots.slice(1) });
      roots.push(root);
    }
    return readMerged(join(place, 'merged'), roots);
  } catch (error) {
    return isToolError(error) ? error.code : String(error);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function apply(
  archive: Buffer,
  { root, blobPath, lowers }: { root: string; blobPath: string; lowers: string[] },
): Promise<void> {
  writeFileSync(blobPath, archive);
  const fd = openSync(blobPath, 'r');
  const manifest = openSync(`${blobPath}-manifest`, 'w+');
  const lowerFolders = lowers.map((lower) => openSync(lower, O.PATH | constants.O_DIRECTORY));
  self.chroot(root);
  process.chdir('/');
  try {
    await applyLayer({
      system,
      blob: { fd, size: archive.length, onRead: () => undefined },
      label: 'test',
      diffId: digestOf(archive),
      manifest,
      lowerCount: lowers.length,
      openLowers: () => lowerFolders,
      ownership: { kind: 'root' },
      whiteouts: 'trusted',
      limits: { bytes: 1e9, entries: 1000, folders: 1000 },
    });
    const differences: string[] = [];
    const onDifference = (path: string, difference: string): void => void differences.push(`${path}: ${difference}`);
    compareTree(readManifest(manifest), { xattrs: system.xattrs, comparesOwners: true, onDifference });
    if (differences.length > 0) throw new Error(`The manifest is not of the tree: ${differences.join('\n')}`);
  } finally {
    self.chrootToOpenFolder(hostRoot);
    process.chdir('/');
    for (const open of [fd, manifest, ...lowerFolders]) closeSync(open);
  }
}

function readMerged(path: string, roots: string[]): Record<string, string> {
  mkdirSync(path);
  const options = `lowerdir=${roots.toReversed().join(':')}`;
  mount([cString('overlay'), cString(path), cString('overlay'), 1, cString(options)]); // read-only
  try {
    return withoutSingleLinks(readTree(path));
  } finally {
    umount([cString(path)]);
  }
}

/** A name whose other names were taken away by an upper layer still has the link count of its own layer. */
function withoutSingleLinks(tree: Record<string, string>): Record<string, string> {
  const counts = new Map<string, number>();
  const groupOf = (line: string): string | undefined => / #\d+$/.exec(line)?.[0];
  for (const line of Object.values(tree)) counts.set(groupOf(line) ?? '', (counts.get(groupOf(line) ?? '') ?? 0) + 1);
  const groups = [...counts].filter(([group, count]) => group !== '' && count > 1).map(([group]) => group);
  const renamed = (line: string): string => {
    const group = groupOf(line);
    if (group === undefined) return line;
    const index = groups.indexOf(group);
    return line.slice(0, -group.length) + (index === -1 ? '' : ` #${index + 1}`);
  };
  return Object.fromEntries(Object.entries(tree).map(([path, line]) => [path, renamed(line)]));
}

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const archives = (JSON.parse(line) as string[]).map((archive) => Buffer.from(archive, 'base64'));
    process.stdout.write(`${JSON.stringify(await applyChain(archives))}\n`);
  }
}

void main();
