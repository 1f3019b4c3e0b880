import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../fs/disk-error.ts';
import { writeFileAtomic } from '../fs/write-file-atomic.ts';
import { overlayMarks } from './overlay-marks.ts';
import { readMergedFile } from './read-merged-file.ts';

/** As much of an image's passwd or group as is worth reading, in bytes (CVE-2024-9676). */
const ACCOUNT_FILE_LIMIT = 1024 * 1024;

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
  const top = layerFolders.at(-1);
  if (top === undefined) return;
  const missing = ['passwd', 'group'].filter((name) => !existsSync(join(top, name)));
  if (missing.length === 0) return;
  const view = { trees: layerFolders.map((folder) => join(folder, 'fs')), marks: overlayMarks(whiteouts) };
  for (const name of missing) {
    const content = unlessDenied(() => readMergedFile(view, `/etc/${name}`, ACCOUNT_FILE_LIMIT));
    await writeFileAtomic(join(top, name), content ?? Buffer.alloc(0), 0o444);
  }
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
