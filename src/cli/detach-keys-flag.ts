import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../container/session/detach-keys.ts';
import { stringFlag } from './flags.ts';
import type { Flag } from './flags.ts';

export const detachKeysFlag: Flag<string | undefined> = stringFlag({
  about: 'Override the key sequence for detaching a container',
});

/**
 * As with docker, an empty text asks for the default.
 * @throws {ToolError} ERR_USAGE
 */
export function wantedDetachKeys(text: string | undefined): Uint8Array {
  return text === undefined || text === '' ? DEFAULT_DETACH_KEYS : parseDetachKeys(text);
}
