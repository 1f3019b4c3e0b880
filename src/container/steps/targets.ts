import { constants } from 'node:fs';
import { posix } from 'node:path';
import { AT, O, OPEN_HOW_SIZE, RESOLVE, openHow } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';

// Everything here runs after the change of root, with `/` of the container as current folder and as the topmost mount that there is: an
// absolute symlink or `..` leads to a path of the container by itself. Paths are walked by openat2 without magic links, so that none leads
// through /proc/<pid>/fd to a descriptor of the set-up (CVE-2024-21626). Not with RESOLVE_IN_ROOT: that fails with EAGAIN at each `..`
// while anything on the machine is renamed, and so lets one container keep others from starting.

/**
 * Opens the folder at an absolute path, making what is missing of it, and saves it under `targetName(path)`.
 * What stands in the way is left alone and is an error: below a volume it may be the user's.
 */
export function folderTarget(path: string, what: string): Step[] {
  const steps: Step[] = [];
  let parent = '/';
  for (const name of componentsOf(path)) {
    const current = posix.join(parent, name);
    steps.push(...childTarget({ parent, name, kind: 'folder', what }));
    parent = current;
  }
  return parent === '/' ? [openPath({ path: '/', kind: 'folder', what })] : steps;
}

/** As `folderTarget` for a file, which is made empty if it is missing. */
export function fileTarget(path: string, what: string): Step[] {
  const { dir, base } = posix.parse(path);
  return [...folderTarget(dir, what), ...childTarget({ parent: dir, name: base, kind: 'file', what })];
}

/**
 * As `folderTarget` and `fileTarget`, but the folder that it is in must be open already, and if the last component is a symlink,
 * or for a folder anything else, it makes way: for the places that the engine itself needs. It is the container's own copy that
 * loses it. A mount that is there already is an error: it has come by a symlink.
 */
export function ownTarget(path: string, kind: Kind, what: string): Step[] {
  const { dir: parent, base: name } = posix.parse(path);
  const at = parent === '/' ? AT.FDCWD : { result: targetName(parent) };
  const open: Step = {
    call: 'openat2',
    args: [at, name, howTo(kind, RESOLVE.NO_SYMLINKS | RESOLVE.BENEATH | RESOLVE.NO_XDEV), OPEN_HOW_SIZE],
    save: targetName(path),
    what,
  };
  return [
    { ...open, ignore: ['ENOENT', 'ELOOP', 'ENOTDIR'], skipOnSuccess: 3 },
    { call: 'unlinkat', args: [at, name, 0], ignore: ['ENOENT'], what },
    make({ at, name, kind, what }),
    open,
  ];
}

/** Opens the folder at an absolute path without symlinks; if there is none, the descriptor is -1. */
export function existingFolder(path: string, what: string): Step[] {
  const how = howTo('folder', RESOLVE.NO_SYMLINKS | RESOLVE.BENEATH);
  const args = [AT.FDCWD, path.slice(1), how, OPEN_HOW_SIZE];
  return [{ call: 'openat2', args, save: targetName(path), ignore: ['ENOENT', 'ENOTDIR'], what }];
}

/** The name under which the steps above save the descriptor of `path`. */
export function targetName(path: string): string {
  return `target ${path}`;
}

type Kind = 'folder' | 'file';

interface Child {
  /** The folder that it is in. */
  at: number | { result: string };
  name: string;
  kind: Kind;
  what: string;
}

/** One component: follow it if it is there, else make it. Its parent is open. */
function childTarget({ parent, name, kind, what }: { parent: string; name: string; kind: Kind; what: string }): Step[] {
  const path = posix.join(parent, name);
  const at = parent === '/' ? AT.FDCWD : { result: targetName(parent) };
  return [
    { ...openPath({ path, kind, what }), ignore: ['ENOENT'], skipOnSuccess: 2 },
    { ...make({ at, name, kind, what }), ignore: ['EEXIST'] },
    {
      call: 'openat2',
      args: [at, name, howTo(kind, RESOLVE.NO_SYMLINKS | RESOLVE.BENEATH), OPEN_HOW_SIZE],
      save: targetName(path),
      what,
    },
  ];
}

function openPath({ path, kind, what }: { path: string; kind: Kind; what: string }): Step {
  const how = howTo(kind, RESOLVE.NO_MAGICLINKS);
  return { call: 'openat2', args: [AT.FDCWD, path, how, OPEN_HOW_SIZE], save: targetName(path), what };
}

function howTo(kind: Kind, resolve: number): Buffer {
  return openHow({ flags: O.PATH | O.CLOEXEC | (kind === 'folder' ? constants.O_DIRECTORY : 0), resolve });
}

function make({ at, name, kind, what }: Child): Step {
  return kind === 'folder'
    ? { call: 'mkdirat', args: [at, name, 0o755], what }
    : { call: 'mknodat', args: [at, name, constants.S_IFREG | 0o644, 0], what };
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}
