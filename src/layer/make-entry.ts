import { chmodSync, lchownSync, symlinkSync } from 'node:fs';

import { NODE_TYPES, type FileTime } from '../linux/libc-files.ts';
import { baseName, checkPath, joinPath, parentOf, toBytes, toFsPath, toText, type EntryPath } from './entry-path.ts';
import { clampTime } from './entry-time.ts';
import type { LayerContext } from './layer-context.ts';
import { ownerOnDisk, type Owner } from './owners.ts';
import { Refusal } from './refusal.ts';
import type { TarEntry } from './tar-entry.ts';
import { recordTime } from './tree-record.ts';
import { allowedXattrs, type Xattrs } from './xattr-policy.ts';

/** The path without symlinks under which an entry named `path` is made; folders that it lacks are made. Not for the root. */
export function placeOf(context: LayerContext, path: EntryPath): EntryPath {
  const parent = parentOf(path) ?? '';
  const folder = context.folders.enter(parent);
  if (folder === parent) return path;
  const place = joinPath(folder, baseName(path));
  checkPath(place);
  return place;
}

/** The attributes of `entry` that are applied; a warning names the others. */
export function xattrsOf(context: LayerContext, entry: TarEntry): Xattrs | undefined {
  return allowedXattrs(entry.xattrs, entry.type, (name) => {
    context.warnings.add('left out an extended attribute that layers cannot have:', toText(name));
  });
}

export function makeFolder(context: LayerContext, path: EntryPath, entry: TarEntry): void {
  ownerOnDisk(entry, context.ownership); // refused here, where the entry is known
  const { uid, gid } = entry;
  const { seconds, nanoseconds } = clampTime(entry.mtime);
  const xattrs = xattrsOf(context, entry);
  context.folders.make(path, { mode: entry.mode & 0o7777, uid, gid, seconds, nanoseconds, xattrs });
}

/** What symlinks and pipes have in common; a symlink has no mode of its own. */
interface NodeAttributes extends Owner {
  mode: number;
  mtime: FileTime;
}

export function makeSymlink(context: LayerContext, path: EntryPath, link: NodeAttributes & { target: string }): void {
  const { target, uid, gid } = link;
  if (target === '') throw new Refusal('it is a symlink without a target');
  const owner = ownerOnDisk(link, context.ownership);
  const mtime = clampTime(link.mtime);
  makeFresh(context, path, () => symlinkSync(Buffer.from(target, 'latin1'), toFsPath(path)));
  if (owner.uid !== 0 || owner.gid !== 0) lchownSync(toFsPath(path), owner.uid, owner.gid);
  context.files.setPathTimes(toBytes(path), mtime);
  context.manifest.add({ path, type: 'symlink', target, uid, gid, mtime: recordTime(mtime) });
}

export function makeFifo(context: LayerContext, path: EntryPath, fifo: NodeAttributes): void {
  const mode = fifo.mode & 0o7777;
  const { uid, gid } = fifo;
  const owner = ownerOnDisk(fifo, context.ownership);
  const mtime = clampTime(fifo.mtime);
  makeFresh(context, path, () => context.files.makeNode(toBytes(path), NODE_TYPES.fifo | mode, 0n));
  if (owner.uid !== 0 || owner.gid !== 0) lchownSync(toFsPath(path), owner.uid, owner.gid);
  chmodSync(toFsPath(path), mode); // after chown, which takes set-id bits away
  context.files.setPathTimes(toBytes(path), mtime);
  context.manifest.add({ path, type: 'fifo', mode, uid, gid, mtime: recordTime(mtime) });
}

/**
 * Leaves a device out: in a container it would not work, and in the store it is one more way to the host's disks. Until the layer is
 * finished a socket, which no archive can hold, stands in its place, so that it is replaced, linked to and in the way like anything else.
 */
export function leaveOutDevice(context: LayerContext, path: EntryPath, entry: TarEntry): void {
  checkDevice(entry);
  ownerOnDisk(entry, context.ownership);
  makeFresh(context, path, () => context.files.makeNode(toBytes(path), NODE_TYPES.socket, 0n));
  noteLeftOut(context, path);
}

/** To be called for each name of what stands in the place of a device. */
export function noteLeftOut(context: LayerContext, path: EntryPath): void {
  context.warnings.add('left out a device, which a container could not use:', toText(path));
  context.manifest.add({ path, type: 'removed' });
  context.leftOut.add(path);
}

function checkDevice({ type, deviceMajor: major, deviceMinor: minor }: TarEntry): void {
  const isValid = Number.isSafeInteger(major) && Number.isSafeInteger(minor) && major >= 0 && minor >= 0;
  // The kernel has 12 bits for the one and 20 for the other, and would cut the rest off.
  if (!isValid || major > 0xfff || minor > 0xfffff)
    throw new Refusal(`its device number ${major}:${minor} is not valid`);
  if (type === 'character' && major === 0 && minor === 0) {
    throw new Refusal('it is the character device 0:0, which hides a file of the layers below');
  }
}

/** Makes something at `path` in place of what is there. */
export function makeFresh(context: LayerContext, path: EntryPath, make: () => void): void {
  try {
    make();
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  context.folders.remove(path);
  make();
}
