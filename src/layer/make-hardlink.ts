import { linkSync, lstatSync } from 'node:fs';

import type { EntryId } from './entry-id.ts';
import { baseName, cleanPath, joinPath, parentOf, toFsPath, toText, type EntryPath } from './entry-path.ts';
import { copyUp } from './copy-up.ts';
import type { LayerContext } from './layer-context.ts';
import { makeFresh, noteLeftOut } from './make-entry.ts';
import { Refusal } from './refusal.ts';
import type { TarEntry } from './tar-entry.ts';

/**
 * Makes `path` another name of the file that `entry` links to, of a symlink itself if it is one. Owner, mode and time
 * of a hard link entry mean nothing. A file of the layers below is copied into this layer first, because an inode cannot be in both.
 */
export function makeHardlink(context: LayerContext, path: EntryPath, entry: TarEntry): void {
  const target = resolveTarget(context, cleanTarget(entry.linkName));
  if (target === path) throw new Refusal('it is a hard link to itself');
  if (lstatSync(toFsPath(target), { throwIfNoEntry: false }) === undefined) copyTarget(context, target, entry);
  makeFresh(context, path, () => linkSync(toFsPath(target), toFsPath(path)));
  if (context.leftOut.isAt(target)) noteLeftOut(context, path);
  else context.manifest.add({ path, type: 'hardlink', target });
}

function cleanTarget(linkName: string): EntryPath {
  let path: EntryPath;
  try {
    path = cleanPath(linkName);
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(`as a hard link, ${error.message}`);
    throw error;
  }
  if (path === '') throw new Refusal('it is a hard link to the root of the image');
  return path;
}

/** Through the symlinks of this layer, except one at the end. */
function resolveTarget(context: LayerContext, path: EntryPath): EntryPath {
  const target = joinPath(context.folders.resolve(parentOf(path) ?? ''), baseName(path));
  if (context.folders.has(target)) throw new Refusal('it is a hard link to a folder');
  return target;
}

function copyTarget(context: LayerContext, path: EntryPath, by: EntryId): void {
  const lower = context.markers.hides(path) ? undefined : context.lowers.find(path);
  if (lower === undefined) throw new Refusal(`it is a hard link to "${toText(path)}", which is not there yet`);
  copyUp(context, lower, by);
}
