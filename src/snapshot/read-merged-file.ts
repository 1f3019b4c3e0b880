import { closeSync, constants, fstatSync, openSync, readSync, readlinkSync } from 'node:fs';
import { mergeName } from './merged-tree.ts';
import type { MergedTreeOptions } from './merged-tree.ts';

/** As many links on one path as the kernel follows. */
const MAX_LINKS = 40;

/**
 * Reads a file of the merged view as a process inside it would: symlinks of the image lead to paths of the image.
 * Undefined if it is not there, is not a regular file, cannot be read by this user, or is larger than `limit` bytes.
 * @param path absolute, as `/etc/passwd`
 */
export function readMergedFile(options: MergedTreeOptions, path: string, limit: number): Buffer | undefined {
  const source = resolveMerged(options, path);
  return source === undefined ? undefined : readRegularFile(source, limit);
}

function resolveMerged(options: MergedTreeOptions, path: string): Buffer | undefined {
  const root = options.trees.map((tree) => Buffer.from(tree)).reverse(); // top first
  let stack: Buffer[][] = [root];
  const names = componentsOf(path);
  for (let links = 0; ;) {
    const name = names.shift();
    if (name === undefined) return undefined; // it ended at a folder
    if (name === '..') {
      if (stack.length > 1) stack.pop();
      continue;
    }
    const found = mergeName(Buffer.from(name, 'latin1'), stack.at(-1) ?? root, options.marks);
    if (found === undefined) return undefined;
    if (found.stats.isSymbolicLink()) {
      links += 1;
      if (links > MAX_LINKS) return undefined;
      const target = readlinkSync(found.source, { encoding: 'buffer' }).toString('latin1');
      if (target.startsWith('/')) stack = [root];
      names.unshift(...componentsOf(target));
    } else if (found.stats.isDirectory()) {
      stack.push(found.folders);
    } else {
      return names.length === 0 && found.stats.isFile() ? found.source : undefined;
    }
  }
}

/** Names as latin1, one character a byte. */
function componentsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function readRegularFile(source: Buffer, limit: number): Buffer | undefined {
  let fd;
  try {
    fd = openSync(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'ENOENT' || code === 'ELOOP') return undefined;
    throw error;
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > limit) return undefined;
    const content = Buffer.alloc(stats.size);
    let length = 0;
    while (length < content.length) {
      const read = readSync(fd, content, length, content.length - length, length);
      if (read === 0) break;
      length += read;
    }
    return content.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}
