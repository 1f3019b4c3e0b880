import { Refusal } from './refusal.ts';

/**
 * A path below the root of the image: names joined by single slashes, none of them empty, `.` or `..`; '' is the root itself.
 * One character per byte (latin1).
 */
export type EntryPath = string;

/** In bytes. The kernel takes 4096, of which this leaves a thousand for where the store is: the copy driver goes by whole paths. */
const MAX_PATH = 3072;
const MAX_NAME = 255; // bytes: include/uapi/linux/limits.h
const MAX_DEPTH = 1024; // folders, as in node-tar; real images stay below 50

/**
 * Cleans a name of an archive, lexically as Docker does: `a/../b` is `b` whatever `a` is. A leading slash means nothing.
 * Throws a `Refusal` for a path that leads out of the root, and as `checkPath` does.
 */
export function cleanPath(name: string): EntryPath {
  const path = isClean(name) ? name : fold(name);
  checkPath(path);
  return path;
}

/** Throws a `Refusal` for a path that is too long or too deep, to which a symlink may lead. */
export function checkPath(path: EntryPath): void {
  if (path.length > MAX_PATH) throw new Refusal(`its path is longer than ${MAX_PATH} bytes`);
  checkNames(path);
}

function isClean(name: string): boolean {
  return !/(?:^|\/)\.{0,2}(?:\/|$)/.test(name);
}

function fold(name: string): EntryPath {
  const names: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') names.push(part);
    else if (names.pop() === undefined) throw new Refusal('its path leads out of the root of the image');
  }
  return names.join('/');
}

function checkNames(path: EntryPath): void {
  let depth = 0;
  let start = 0;
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', start)) {
    if (slash - start > MAX_NAME) throw new Refusal(`its path has a name longer than ${MAX_NAME} bytes`);
    start = slash + 1;
    depth += 1;
  }
  if (path.length - start > MAX_NAME) throw new Refusal(`its path has a name longer than ${MAX_NAME} bytes`);
  if (depth > MAX_DEPTH) throw new Refusal(`its path is deeper than ${MAX_DEPTH} folders`);
}

/** The folder that `path` is in; undefined for the root. */
export function parentOf(path: EntryPath): EntryPath | undefined {
  if (path === '') return undefined;
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function baseName(path: EntryPath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function joinPath(folder: EntryPath, name: string): EntryPath {
  return folder === '' ? name : `${folder}/${name}`;
}

/**
 * The same path for keeping: a part of a string keeps all of the string in memory that it was cut from, and an archive may put a
 * name of a few bytes at the end of a megabyte of `./`.
 */
export function detached(path: EntryPath): EntryPath {
  return Buffer.from(path, 'latin1').toString('latin1');
}

/** What Node's fs takes: the absolute path below the new root, as bytes where they are not plain ASCII. */
export function toFsPath(path: EntryPath): string | Buffer {
  // eslint-disable-next-line no-control-regex -- all of ASCII is the same in latin1 and UTF-8
  return /^[\x00-\x7f]*$/.test(path) ? `/${path}` : Buffer.from(`/${path}`, 'latin1');
}

/** The same, always as bytes: for calls through libc. */
export function toBytes(path: EntryPath): Buffer {
  return Buffer.from(`/${path}`, 'latin1');
}

/** For people: the name as UTF-8. It may hold anything, so it still has to go through `printable`. */
export function toText(name: string): string {
  return Buffer.from(name, 'latin1').toString();
}
