import { ToolError, type ErrorCode } from '../errors.ts';
import { errnoName, errnoNumber, errnoText, type Errno } from '../linux/errno.ts';
import { printable } from '../printable.ts';

interface Reason {
  code: ErrorCode;
  text: string;
  hint?: string;
}

const FREE_SPACE = 'Free some space, or remove images that are not needed with `mydocker rmi`.';

export const READ_ONLY_REMEDY: string = 'Make it writable, or use another folder with --home or MYDOCKER_HOME.';

const REASONS: Partial<Record<Errno, Reason>> = {
  ENOSPC: { code: 'ERR_NO_SPACE', text: 'no space is left on the file system', hint: FREE_SPACE },
  EDQUOT: { code: 'ERR_NO_SPACE', text: 'the disk quota is used up', hint: FREE_SPACE },
  EROFS: {
    code: 'ERR_STORE',
    text: 'the file system is read-only',
    hint: READ_ONLY_REMEDY,
  },
};

/**
 * What the file system answered, as an error for people: ERR_NO_SPACE for a full disk or quota, else ERR_STORE.
 * `verb` continues "Cannot"; `path` is named. A ToolError, and what did not come from the system, is handed back as it is.
 */
export function diskError(error: unknown, verb: string, path: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const number = systemErrno(error);
  if (error instanceof ToolError || number === undefined) return error;
  const { code, text, hint } = reasonFor(number);
  return new ToolError(code, `Cannot ${verb} "${printable(path, Infinity)}": ${text}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Runs `work`; what the file system throws becomes a `diskError`. */
export async function withDiskErrors<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(error, verb, path);
  }
}

/** Whether the disk or the quota is full: a plain system error, or one that `diskError` has translated. */
export function isNoSpace(error: unknown): boolean {
  if (error instanceof ToolError) return error.code === 'ERR_NO_SPACE';
  const number = systemErrno(error);
  return number === errnoNumber('ENOSPC') || number === errnoNumber('EDQUOT');
}

/** Whether a system call failed with one of `codes`, such as 'ENOENT'. */
export function hasErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

// By number: libuv has no name for EDQUOT, so Node's `code` is "Unknown system error -122" for it.
function systemErrno(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return undefined;
  return Math.abs(error.errno);
}

function reasonFor(number: number): Reason {
  const name = errnoName(number);
  return (name && REASONS[name]) ?? { code: 'ERR_STORE', text: errnoText(number) };
}
