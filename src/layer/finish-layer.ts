import { chmodSync, closeSync, constants, lchownSync, lstatSync, openSync } from 'node:fs';

import { FILE_WHITEOUT_XATTR } from '../linux/file-whiteout.ts';
import { NODE_TYPES } from '../linux/libc-files.ts';
import { attributesOf } from './copy-up.ts';
import { joinPath, parentOf, toBytes, toFsPath, toText, type EntryPath } from './entry-path.ts';
import type { FolderAttributes, FolderState } from './folders.ts';
import type { LayerContext } from './layer-context.ts';
import type { Marker } from './markers.ts';
import { ownerOnDisk } from './owners.ts';
import { readXattrs } from './read-xattrs.ts';
import { Refusal } from './refusal.ts';
import { setXattrs } from './set-xattrs.ts';
import { recordTime, recordXattrs } from './tree-record.ts';
import type { Xattrs } from './xattr-policy.ts';

/**
 * Does what has to wait for the last entry: puts whiteouts into effect in the form that overlayfs reads, and gives folders their
 * owners, modes and times. Nothing of it depends on the order of the entries. Throws a `Refusal` and system errors.
 * Source: kernel Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".
 */
export function finishLayer(context: LayerContext, opaqueXattr: string): void {
  refuseContradiction(context);
  // What is left out hides what the layers below have at its path all the same, like an entry and not like a whiteout.
  for (const path of context.leftOut.clear(context.folders)) context.markers.add(path, 'whiteout');
  expandRootMarker(context);
  const opaque = new Set<EntryPath>();
  for (const [path, marker] of context.markers.entries()) placeMarker(context, { path, marker, opaque });
  for (const [path, state] of context.folders.entries()) {
    finishFolder(context, { path, state, opaqueXattr: opaque.has(path) ? opaqueXattr : undefined });
  }
}

function refuseContradiction({ markers }: LayerContext): void {
  const contradiction = markers.contradiction();
  if (contradiction === undefined) return;
  const { path, by } = contradiction;
  throw new Refusal(`it links to a file of the layers below that the layer also takes away: "${toText(path)}"`, {
    entry: by,
  });
}

/** overlayfs does not look at the root of a layer, so an opaque root becomes a whiteout of each name that is below it. */
function expandRootMarker(context: LayerContext): void {
  const { markers, lowers, budget } = context;
  if (markers.get('') === undefined) return;
  for (const name of lowers.rootNames(budget.pathsLeft())) markers.add(name, 'whiteout');
  markers.delete('');
}

interface PlacedMarker {
  path: EntryPath;
  marker: Marker;
  /** Receives the folders that hide what is below them. */
  opaque: Set<EntryPath>;
}

/** Where there is nothing to hide nothing is made: a whiteout would show up in folders that overlayfs does not merge. */
function placeMarker(context: LayerContext, { path, marker, opaque }: PlacedMarker): void {
  const { markers, lowers, folders } = context;
  if (markers.hidesParentOf(path)) return;
  const lower = lowers.find(path);
  if (lower === undefined) return;
  const presence = presenceOf(context, path);
  if (presence === 'other') return;
  const hidesContent = presence === 'folder' || marker === 'opaque';
  if (hidesContent && lower.stats.isDirectory()) {
    folders.enter(path);
    opaque.add(path);
  } else if (!hidesContent) {
    folders.enter(parentOf(path) ?? '');
    makeWhiteout(context, path);
  }
}

/** What this layer has at `path`: 'other' also if something in its way is not a folder, which hides the layers below as well. */
function presenceOf(context: LayerContext, path: EntryPath): 'folder' | 'other' | 'nothing' {
  if (context.folders.has(path)) return 'folder';
  let current: EntryPath = '';
  for (const name of path.split('/')) {
    current = joinPath(current, name);
    if (context.folders.has(current)) continue;
    return lstatSync(toFsPath(current), { throwIfNoEntry: false }) === undefined ? 'nothing' : 'other';
  }
  return 'folder';
}

const NO_DEVICE = 0n; // 0:0

function makeWhiteout(context: LayerContext, path: EntryPath): void {
  try {
    context.files.makeNode(toBytes(path), NODE_TYPES.character, NO_DEVICE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    makeFileWhiteout(context, path);
  }
  context.manifest.add({ path, type: 'whiteout' });
}

function makeFileWhiteout({ xattrs }: LayerContext, path: EntryPath): void {
  const fd = openSync(toFsPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    xattrs.set(fd, FILE_WHITEOUT_XATTR, Buffer.from('y'));
  } catch (error) {
    throw new Refusal('the file system of the store has neither whiteouts nor extended attributes', {
      code: 'ERR_HOST',
      hint: 'Put the store on a file system that has, such as ext4, xfs or btrfs, with --home or MYDOCKER_HOME.',
      cause: error,
    });
  } finally {
    closeSync(fd);
  }
}

interface UnfinishedFolder {
  path: EntryPath;
  state: FolderState;
  /** Set if the folder hides what the layers below have in it. */
  opaqueXattr: string | undefined;
}

function finishFolder(context: LayerContext, { path, state, opaqueXattr }: UnfinishedFolder): void {
  const attributes = state === 'implied' ? impliedAttributes(context, path) : state;
  const { mode, uid, gid, seconds, nanoseconds } = attributes;
  const fsPath = toFsPath(path);
  const owner = ownerOnDisk(attributes, context.ownership);
  if (owner.uid !== 0 || owner.gid !== 0) lchownSync(fsPath, owner.uid, owner.gid);
  chmodSync(fsPath, mode); // a folder of this layer, not a symlink; after chown, which takes set-id bits away
  let xattrs: Xattrs | undefined;
  if (opaqueXattr !== undefined || attributes.xattrs !== undefined) {
    xattrs = setFolderXattrs(context, { path, xattrs: attributes.xattrs, opaqueXattr });
  }
  context.files.setPathTimes(toBytes(path), { seconds, nanoseconds });
  context.manifest.add({
    path,
    type: 'folder',
    mode,
    uid,
    gid,
    mtime: recordTime({ seconds, nanoseconds }),
    ...recordXattrs(xattrs),
    ...(opaqueXattr === undefined ? {} : { isOpaque: true }),
  });
}

interface FolderXattrs {
  path: EntryPath;
  xattrs: Xattrs | undefined;
  opaqueXattr: string | undefined;
}

/** Answers those of `xattrs` that were set. */
function setFolderXattrs(context: LayerContext, { path, xattrs, opaqueXattr }: FolderXattrs): Xattrs | undefined {
  const fd = openSync(toFsPath(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if (opaqueXattr !== undefined) setOpaque(context, fd, opaqueXattr);
    return setXattrs(context, { fd, xattrs });
  } finally {
    closeSync(fd);
  }
}

function setOpaque(context: LayerContext, fd: number, name: string): void {
  try {
    context.xattrs.set(fd, name, Buffer.from('y'));
  } catch (error) {
    throw new Refusal(`the file system of the store does not take the attribute ${name}, which hides folders`, {
      code: 'ERR_HOST',
      hint: 'Put the store on a file system with extended attributes, such as ext4, xfs or btrfs, with --home or MYDOCKER_HOME.',
      cause: error,
    });
  }
}

/** What no archive of the image has said anything of. */
const UNKNOWN: FolderAttributes = { mode: 0o755, uid: 0, gid: 0, seconds: 0, nanoseconds: 0, xattrs: undefined };

/** An archive may leave out a folder that it has something in; then the folder stays as it is in the layers below. */
function impliedAttributes(context: LayerContext, path: EntryPath): FolderAttributes {
  const lower = context.markers.hides(path) ? undefined : context.lowers.find(path);
  if (lower === undefined) return UNKNOWN;
  if (lower.stats.isSymbolicLink()) {
    context.warnings.add(
      'the archive has files in a folder that is a symlink in the layers below, and replaces it:',
      toText(path),
    );
  }
  if (!lower.stats.isDirectory()) return UNKNOWN;
  const { mtime, ...attributes } = attributesOf(lower.stats);
  const fd = lower.open(constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return { ...attributes, ...mtime, xattrs: readXattrs(context.xattrs, fd, 'folder') };
  } finally {
    closeSync(fd);
  }
}
