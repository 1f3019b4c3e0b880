import { randomBytes } from 'node:crypto';
import fs, { type Dirent } from 'node:fs';

import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { hasErrno, withDiskErrors } from './disk-error.ts';
import { mountsInside } from './mounts-inside.ts';
import { createPacer } from './pacer.ts';

const O_PATH = 0o10000000; // not among Node's constants; the same number on every Linux that Node runs on
const MAX_OPEN_FOLDERS = 64; // the usual limit for all of a process is 1024 descriptors
const MAX_ROUNDS = 100; // over one folder, while somebody else keeps filling it

interface OpenFolder {
  fd: number;
  /** `/proc/self/fd/<fd>/`: with a name behind it, a path that is short and cannot lead anywhere else. */
  prefix: Buffer;
  /** Where to remove it from: its path in the folder above. */
  path: Buffer;
  /** Names of the folders in it that are still to be removed. */
  folders: Buffer[];
  rounds: number;
}

/**
 * Removes a file, or a folder with all that is in it. Nothing there is fine too.
 *
 * Never follows a symlink and never leaves the tree, whatever is renamed meanwhile; takes paths longer than PATH_MAX, any
 * depth, names that are not UTF-8, and folders that their owner may neither read nor write. Does not remove what is mounted:
 * throws ERR_CONFLICT before anything is touched if there is a mount inside. Throws ERR_STORE for what the file system
 * answers, for one to an ordinary user and files of somebody else.
 */
export async function removeTree(path: string): Promise<void> {
  await withDiskErrors('remove', path, async () => {
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (!stats.isDirectory()) return unlink(Buffer.from(path));
    refuseMounts(path);
    return removeFolder(Buffer.from(path));
  });
}

function refuseMounts(path: string): void {
  const real = ignoreAbsence(() => fs.realpathSync.native(path));
  if (real === undefined) return; // somebody else has removed it
  const [point] = mountsInside(real);
  if (point === undefined) return;
  throw new ToolError('ERR_CONFLICT', `Cannot remove "${printable(path)}": "${printable(point)}" is mounted`, {
    hint: 'Unmount it first.',
  });
}

/**
 * Depth first, without recursion. Measured with 100,000 files in 5,000 folders on ext4: 2.2 s, `rm -rf` 1.2 s,
 * `fs.promises.rm` 2.5 s; paths through /proc cost an `unlink` half as much again.
 */
async function removeFolder(path: Buffer): Promise<void> {
  const pace = createPacer();
  const open: OpenFolder[] = [];
  try {
    await enter(path, open, pace);
    for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
      const name = folder.folders.pop();
      if (name === undefined) await leave(folder, open, pace);
      else if (open.length < MAX_OPEN_FOLDERS) await enter(join(folder.prefix, name), open, pace);
      else hoist(join(folder.prefix, name), open[0]);
      await pace();
    }
  } finally {
    for (const { fd } of open) fs.closeSync(fd);
  }
}

type Pace = ReturnType<typeof createPacer>;

/** Opens a folder and removes everything from it but folders. */
async function enter(path: Buffer, open: OpenFolder[], pace: Pace): Promise<void> {
  const fd = openFolder(path);
  if (fd === undefined) return;
  const folder = { fd, prefix: Buffer.from(`/proc/self/fd/${fd}/`), path, folders: [], rounds: 1 };
  open.push(folder);
  await removeFiles(folder, pace);
}

/** Removes a folder that should be empty by now. */
async function leave(folder: OpenFolder, open: OpenFolder[], pace: Pace): Promise<void> {
  try {
    ignoreAbsence(() => withAccess(open.at(-2), () => fs.rmdirSync(folder.path)));
  } catch (error) {
    // Some file systems leave entries out of a listing while others are being removed.
    if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST') || folder.rounds >= MAX_ROUNDS) throw error;
    folder.rounds += 1;
    await removeFiles(folder, pace);
    return;
  }
  open.pop();
  fs.closeSync(folder.fd);
}

/** Removes everything but folders, and notes those. */
async function removeFiles(folder: OpenFolder, pace: Pace): Promise<void> {
  try {
    for (const entry of entriesOf(folder)) {
      const path = join(folder.prefix, entry.name);
      if (entry.isDirectory() || !withAccess(folder, () => unlink(path))) folder.folders.push(entry.name);
      await pace();
    }
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error; // somebody else has removed the folder
  }
}

/** Names are bytes: an image may hold any. */
type Entry = Dirent<Buffer>;

// Of a folder itself, in bytes, or entries where a file system counts those: what is certain to be listed in little memory.
const SMALL_FOLDER = 64 * 1024;

/** Of a small folder, as most are, all at once, which takes half the time; of another, piece by piece. */
function* entriesOf(folder: OpenFolder): Generator<Entry> {
  if (fs.fstatSync(folder.fd).size <= SMALL_FOLDER) {
    yield* withAccess(folder, () => fs.readdirSync(folder.prefix, { encoding: 'buffer', withFileTypes: true }));
    return;
  }
  const listing = withAccess(folder, () => fs.opendirSync(folder.prefix.toString(), LISTING));
  try {
    for (let entry = listing.readSync(); entry !== null; entry = listing.readSync()) yield entry as unknown as Entry;
  } finally {
    listing.closeSync();
  }
}

// @types/node knows only string encodings here.
const LISTING = { encoding: 'buffer', bufferSize: 1024 } as unknown as { encoding: BufferEncoding; bufferSize: number };

/**
 * Moves a folder that lies too deep up to the top, where it is removed like the others: so the depth of a tree is bounded by
 * nothing, and the number of open folders by a constant.
 */
function hoist(path: Buffer, top: OpenFolder | undefined): void {
  if (top === undefined) return;
  const name = Buffer.from(`.deep-${randomBytes(8).toString('hex')}`);
  ignoreAbsence(() => {
    try {
      fs.renameSync(path, join(top.prefix, name));
    } catch (error) {
      if (!hasErrno(error, 'EACCES')) throw error;
      allowAccess(path); // moving a folder writes to its ".."
      fs.renameSync(path, join(top.prefix, name));
    }
    top.folders.push(name);
  });
}

/** O_PATH: a folder of mode 0000 can be opened, and a symlink cannot. Undefined if there is no folder any more. */
function openFolder(path: Buffer): number | undefined {
  try {
    return fs.openSync(path, O_PATH | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Runs `work` in `folder`, and once more with the owner's permissions set if they are missing. */
function withAccess<T>(folder: OpenFolder | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (folder === undefined || !hasErrno(error, 'EACCES')) throw error;
  }
  fs.chmodSync(folder.prefix, 0o700);
  return work();
}

function allowAccess(path: Buffer): void {
  const fd = openFolder(path);
  if (fd === undefined) return;
  try {
    fs.chmodSync(`/proc/self/fd/${fd}/`, 0o700);
  } finally {
    fs.closeSync(fd);
  }
}

/** Answers false for a folder: on file systems that do not tell types in a listing, this is how it shows. */
function unlink(path: Buffer): boolean {
  try {
    ignoreAbsence(() => fs.unlinkSync(path));
    return true;
  } catch (error) {
    if (hasErrno(error, 'EISDIR')) return false;
    throw error;
  }
}

function ignoreAbsence<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}

/** `folder` ends in a slash. */
function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, name]);
}
