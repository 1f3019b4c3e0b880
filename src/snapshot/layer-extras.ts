import { readdirSync } from 'node:fs';
import { hasErrno } from '../fs/disk-error.ts';
import { isTemporaryName } from '../fs/write-file-atomic.ts';
import { ACCOUNT_FILES } from './account-files.ts';

const PARTS: readonly string[] = ['fs', 'manifest', 'done', ...ACCOUNT_FILES];

/** Names in a layer's folder that are no part of a layer. */
export function layerExtras(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !PARTS.includes(name) && !isTemporaryName(name));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
