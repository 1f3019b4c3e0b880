import fs from 'node:fs';
import { join } from 'node:path';
import { throwIfAborted } from '../fs/abort.ts';
import { hasErrno, withDiskErrors } from '../fs/disk-error.ts';
import { createPacer } from '../fs/pacer.ts';

/** What a container's command has written, in bytes. */
export interface ContainerSize {
  bytes: number;
  /** Some folders could not be looked into, being somebody else's or too deep: the size is too small. */
  incomplete: boolean;
}

/** Where in its folder a container writes: with the overlay driver, and with the copy driver. */
export const WRITTEN: readonly string[] = ['upper', 'rootfs'];

const O_PATH = 0o10000000; // not among Node's constants; the same number on every Linux that Node runs on
const MAX_OPEN_FOLDERS = 200; // the usual limit for all of a process is 1024 descriptors
const BLOCK = 512; // bytes, of `stat`

/**
 * Adds up the files of a container's own layer, a hard link once and a sparse file by what it takes. Walks through descriptors:
 * whatever the container renames meanwhile, nothing outside of its folder is looked at.
 */
export async function containerSize(folder: string, signal?: AbortSignal): Promise<ContainerSize> {
  const walk: Walk = { bytes: 0, incomplete: false, seen: new Set(), pace: createPacer(), signal };
  await withDiskErrors('measure', folder, async () => {
    for (const name of WRITTEN) await addFolder(join(folder, name), 0, walk);
  });
  return { bytes: walk.bytes, incomplete: walk.incomplete };
}

interface Walk extends ContainerSize {
  /** Files with several names: `<device>:<inode>`. */
  seen: Set<string>;
  pace: ReturnType<typeof createPacer>;
  signal: AbortSignal | undefined;
}

async function addFolder(path: string | Buffer, depth: number, walk: Walk): Promise<void> {
  throwIfAborted(walk.signal, 'measure containers');
  const fd = depth < MAX_OPEN_FOLDERS ? openFolder(path, walk) : undefined;
  if (fd === undefined) {
    walk.incomplete ||= depth >= MAX_OPEN_FOLDERS;
    return;
  }
  const prefix = Buffer.from(`/proc/self/fd/${fd}/`);
  try {
    for (const name of namesIn(prefix, walk)) {
      const entry = Buffer.concat([prefix, name]);
      if (addEntry(entry, walk)) await addFolder(entry, depth + 1, walk);
      await walk.pace();
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** O_PATH with O_DIRECTORY opens no symlink. Undefined if there is no folder, or not for us. */
function openFolder(path: string | Buffer, walk: Walk): number | undefined {
  try {
    return fs.openSync(path, O_PATH | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
  } catch (error) {
    passOver(error, walk);
    return undefined;
  }
}

function namesIn(prefix: Buffer, walk: Walk): Buffer[] {
  try {
    return fs.readdirSync(prefix, { encoding: 'buffer' });
  } catch (error) {
    passOver(error, walk);
    return [];
  }
}

/** Answers whether it is a folder. */
function addEntry(path: Buffer, walk: Walk): boolean {
  let stats;
  try {
    stats = fs.lstatSync(path);
  } catch (error) {
    passOver(error, walk);
    return false;
  }
  if (stats.isDirectory()) return true;
  if (stats.nlink > 1) {
    const id = `${stats.dev}:${stats.ino}`;
    if (walk.seen.has(id)) return false;
    walk.seen.add(id);
  }
  walk.bytes += Math.min(stats.size, stats.blocks * BLOCK);
  return false;
}

/** What has gone meanwhile is no error; what is not for us makes the size incomplete. */
function passOver(error: unknown, walk: Walk): void {
  if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return;
  if (!hasErrno(error, 'EACCES', 'EPERM')) throw error;
  walk.incomplete = true;
}
