import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from './disk-error.ts';

/**
 * Makes a folder, and those that it is in, where they are missing. Not `recursive`, with which Node 20 never returns where a file
 * system refuses with ENOENT, as /proc does. Throws what mkdirSync throws.
 * @param path absolute
 * @param mode permission bits of what is made, 0o777 unless given; less the umask
 */
export function makePath(path: string, mode?: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (hasErrno(error, 'EEXIST') && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
    if (!hasErrno(error, 'ENOENT') || path === dirname(path)) throw error;
    makePath(dirname(path), mode);
    mkdirSync(path, { mode });
  }
}
