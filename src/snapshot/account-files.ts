import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hasErrno } from '../fs/disk-error.ts';
import { writeFileAtomic } from '../fs/write-file-atomic.ts';
import { overlayMarks } from './overlay-marks.ts';
import { readMergedFile } from './read-merged-file.ts';

/** As much of an image's passwd or group as is worth reading, in bytes (CVE-2024-9676). */
const ACCOUNT_FILE_LIMIT = 1024 * 1024;

/** Names of the files beside the topmost layer's tree. */
export const ACCOUNT_FILES: readonly string[] = ['passwd', 'group'];

/** The image's own users and groups, as text; empty where the image has no such file. */
export interface AccountFiles {
  passwd: string;
  group: string;
}

/**
 * Keeps the merged view's /etc/passwd and /etc/group beside the topmost layer, so that a start need not look for them through
 * all layers (which takes libc, for the attribute that makes a folder opaque).
 * @param layerFolders bottom first
 */
export async function writeAccountFiles(layerFolders: readonly string[], whiteouts: 'trusted' | 'user'): Promise<void> {
  const missing = keptAccountFiles(layerFolders).filter((path) => !existsSync(path));
  if (missing.length === 0) return;
  const read = accountReader(layerFolders, whiteouts);
  for (const path of missing) await writeFileAtomic(path, read(basename(path)), 0o444);
}

/** Writes those of the kept files anew that are not what the layers say, and answers their paths. Does as told for `isDryRun`. */
export async function mendAccountFiles(
  layerFolders: readonly string[],
  whiteouts: 'trusted' | 'user',
  { isDryRun }: { isDryRun: boolean },
): Promise<string[]> {
  const read = accountReader(layerFolders, whiteouts);
  const wrong = keptAccountFiles(layerFolders).filter(
    (path) => readIfFile(path)?.equals(read(basename(path))) !== true,
  );
  if (!isDryRun) for (const path of wrong) await writeFileAtomic(path, read(basename(path)), 0o444);
  return wrong;
}

/** Where the account files of an image are. */
export function keptAccountFiles(layerFolders: readonly string[]): string[] {
  const top = layerFolders.at(-1);
  return top === undefined ? [] : ACCOUNT_FILES.map((name) => join(top, name));
}

/** Answers what `/etc/<name>` is in the merged view; nothing where there is none. */
function accountReader(layerFolders: readonly string[], whiteouts: 'trusted' | 'user'): (name: string) => Buffer {
  const view = { trees: layerFolders.map((folder) => join(folder, 'fs')), marks: overlayMarks(whiteouts) };
  return (name) => unlessDenied(() => readMergedFile(view, `/etc/${name}`, ACCOUNT_FILE_LIMIT)) ?? Buffer.alloc(0);
}

/** An image may hide its /etc from all but one of its users, whose files an ordinary user cannot read from outside. */
function unlessDenied<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

/** What `writeAccountFiles` has kept; nothing where it has not. */
export function readAccountFiles(layerFolders: readonly string[]): AccountFiles {
  return { passwd: readKept(layerFolders, 'passwd'), group: readKept(layerFolders, 'group') };
}

function readKept(layerFolders: readonly string[], name: string): string {
  const top = layerFolders.at(-1);
  if (top === undefined) return '';
  try {
    return readFileSync(join(top, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function readIfFile(path: string): Buffer | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path) : undefined;
}
