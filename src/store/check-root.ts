import fs, { type Stats } from 'node:fs';

import { ToolError } from '../errors.ts';
import { diskError } from '../fs/disk-error.ts';
import { printable } from '../printable.ts';

const OPEN_TO_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Refuses a store folder that somebody else could have filled: behind a symlink, of another owner, writable by others.
 * Closes one to others that they can read: layers hold setuid programs of images (CVE-2021-41091).
 * Answers false if there is nothing. Throws ERR_STORE.
 */
export function checkRoot(root: string, { readOnly }: { readOnly: boolean }): boolean {
  const stats = statRoot(root);
  if (stats === undefined) return false;
  if (stats.isSymbolicLink()) {
    throw unusable(root, 'it is a symbolic link', 'Name the folder that it points to with --home or MYDOCKER_HOME.');
  }
  if (!stats.isDirectory()) throw unusable(root, 'it is not a folder');
  checkOwner(root, stats.uid);
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) {
    const mode = (stats.mode & 0o777).toString(8);
    const hint = `If nobody else has changed anything in it: chmod 700 ${root}`;
    throw unusable(root, `others may write to it (its mode is 0${mode}, 0700 was wanted)`, hint);
  }
  if ((stats.mode & OPEN_TO_OTHERS) !== 0 && !readOnly) closeToOthers(root);
  return true;
}

function statRoot(root: string): Stats | undefined {
  try {
    return fs.lstatSync(root, { throwIfNoEntry: false });
  } catch (error) {
    throw diskError(error, 'open', root);
  }
}

function checkOwner(root: string, owner: number): void {
  const caller = process.geteuid?.() ?? owner;
  if (owner === caller) return;
  throw unusable(
    root,
    `it belongs to uid ${owner}, and this is uid ${caller}`,
    caller === 0
      ? 'Run mydocker without sudo, or give root a folder of its own with --home or MYDOCKER_HOME.'
      : 'Use a folder of your own with --home or MYDOCKER_HOME.',
  );
}

function closeToOthers(root: string): void {
  try {
    fs.chmodSync(root, 0o700);
  } catch (error) {
    throw diskError(error, 'close to others', root);
  }
}

/** The error for a folder that cannot be a store. */
export function unusable(root: string, problem: string, hint?: string): ToolError {
  const message = `Cannot open store "${printable(root, Infinity)}": ${problem}`;
  return new ToolError('ERR_STORE', message, hint === undefined ? {} : { hint });
}
