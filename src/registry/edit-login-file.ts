import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isToolError, ToolError } from '../errors.ts';
import { hasErrno } from '../fs/disk-error.ts';
import { lockFile } from '../fs/kernel-lock.ts';
import { writeFileAtomic } from '../fs/write-file-atomic.ts';
import { printable } from '../printable.ts';
import { parseLoginFile } from './docker-logins.ts';

/** `auths` of a file with logins, as it stands there. */
export type AuthEntries = Map<string, unknown>;

const MAX_LINKS = 40; // as many symlinks as Linux follows

/**
 * Changes the logins in a file as docker writes it; all else in it stays as it was. `edit` answers whether it changed
 * anything. The file is replaced in one step, readable by its owner only; where it is a symlink, what that leads to.
 * Of several that do this at once each sees what the one before it wrote (docker itself does not lock).
 * Throws ERR_AUTH for a file that cannot be understood, ERR_STORE, ERR_NO_SPACE, ERR_ABORTED.
 */
export async function editLoginFile(
  path: string,
  edit: (auths: AuthEntries) => boolean,
  signal: AbortSignal,
): Promise<void> {
  try {
    const target = await followLinks(path);
    await fs.mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const lockPath = `${target}.lock`;
    const lock = await lockFile(lockPath, 'exclusive', { signal });
    try {
      await editLocked(target, edit);
    } finally {
      await fs.unlink(lockPath).catch(() => undefined); // those who wait notice, and make another
      lock.release();
    }
  } catch (error) {
    if (isToolError(error, 'ERR_AUTH', 'ERR_ABORTED')) throw error;
    // Without the hints of the store's files, which can be moved elsewhere.
    const problem = error instanceof Error ? error.message : String(error);
    const code = isToolError(error) ? error.code : 'ERR_STORE';
    throw new ToolError(code, `Cannot change the logins in "${printable(path)}": ${printable(problem)}`, {
      cause: error,
    });
  }
}

async function editLocked(target: string, edit: (auths: AuthEntries) => boolean): Promise<void> {
  const old = await readIfThere(target);
  const document = objectOf(parseLoginFile(old?.text ?? '', target), target);
  const auths: AuthEntries = new Map(Object.entries(objectOf(document['auths'] ?? {}, target)));
  if (!edit(auths)) return;
  const changed = { ...document, auths: Object.fromEntries(auths) };
  const end = old?.text.endsWith('\n') === true ? '\n' : '';
  await writeFileAtomic(target, Buffer.from(`${JSON.stringify(changed, null, '\t')}${end}`), 0o600);
  // Root in somebody's home: the file stays theirs. Elsewhere a file can only be replaced by one of our own.
  if (old !== undefined && process.geteuid?.() === 0) await fs.lchown(target, old.uid, old.gid);
}

async function readIfThere(path: string): Promise<{ text: string; uid: number; gid: number } | undefined> {
  const file = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { uid, gid } = await file.stat();
    return { text: await file.readFile('utf8'), uid, gid };
  } finally {
    await file.close();
  }
}

/** Where a file is, or would be made: symlinks that lead to nothing count as well. */
async function followLinks(path: string): Promise<string> {
  let target = resolve(path);
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const next = await fs.readlink(target).catch((error: unknown) => {
      if (hasErrno(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return undefined; // no symlink, or nothing at all
      throw error;
    });
    if (next === undefined) return target;
    target = resolve(await fs.realpath(dirname(target)), next);
  }
  throw new Error('too many symlinks');
}

function objectOf(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new ToolError('ERR_AUTH', `Cannot change the logins in "${printable(path)}": it is not as docker writes it`);
}
