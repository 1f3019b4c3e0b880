import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryPrefix } from '../linux/process-mark.ts';
import { diskError } from './disk-error.ts';

/**
 * Makes an empty folder in another, which is garbage when this process has ended. Answers with its path.
 * @throws {ToolError} ERR_NO_SPACE, ERR_STORE
 */
export function makeTemporaryFolder(parent: string): string {
  try {
    return mkdtempSync(join(parent, temporaryPrefix()));
  } catch (error) {
    throw diskError(error, 'prepare', parent);
  }
}
