import { ToolError } from '../errors.ts';
import type { Ownership } from '../linux/ownership.ts';
import { printable } from '../printable.ts';
import { damaged } from './damaged.ts';

/** `store.json`: what the unpacked layers of a store are like. */
export interface StoreFormat {
  version: 1;
  /** How overlayfs is told what a layer deletes: `trusted.overlay.*` or `user.overlay.*` attributes. */
  whiteouts: 'trusted' | 'user';
  /** With whose ids the files of layers were made. */
  ownership: Ownership['kind'];
}

const VERSION = 1;

/** What a caller who unpacks as `ownership` writes. Only real root may set `trusted.*`; in a user namespace the kernel ignores them. */
export function formatFor(ownership: Ownership['kind']): StoreFormat {
  return { version: VERSION, whiteouts: ownership === 'root' ? 'trusted' : 'user', ownership };
}

export function encodeFormat(format: StoreFormat): Buffer {
  return Buffer.from(`${JSON.stringify(format)}\n`);
}

/** Throws ERR_STORE for the format of a newer version, ERR_STORE_DAMAGED for what is none. */
export function parseFormat(bytes: Uint8Array, path: string): StoreFormat {
  const value = parseObject(bytes, path);
  const { version, whiteouts, ownership } = value;
  if (typeof version === 'number' && Number.isInteger(version) && version > VERSION) {
    throw new ToolError(
      'ERR_STORE',
      `Cannot open "${printable(path, Infinity)}": it has store format ${version}, and this version knows ${VERSION}`,
      { hint: 'Use the newer version of mydocker that made it, or another folder with --home or MYDOCKER_HOME.' },
    );
  }
  if (version !== VERSION) throw unreadable(path, 'it has no store format version');
  if (whiteouts !== 'trusted' && whiteouts !== 'user') throw unreadable(path, 'it has an unknown whiteout format');
  if (ownership !== 'root' && ownership !== 'mapped' && ownership !== 'single') {
    throw unreadable(path, 'it has an unknown kind of ownership');
  }
  return { version, whiteouts, ownership };
}

function parseObject(bytes: Uint8Array, path: string): Partial<Record<keyof StoreFormat, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    throw unreadable(path, 'it is not JSON', cause);
  }
  throw unreadable(path, 'it is not a JSON object');
}

function unreadable(path: string, problem: string, cause?: unknown): ToolError {
  const hint =
    'To write it again: mydocker verify --repair. Names and blobs are kept; layers are unpacked again, as nobody can tell any ' +
    'more with whose ids they were.';
  return damaged(path, problem, { hint, cause });
}
