import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../container/session/detach-keys.ts';
import type { Context } from './context.ts';
import { stringFlag } from './flags.ts';
import type { Flag } from './flags.ts';

export const detachKeysFlag: Flag<string | undefined> = stringFlag({
  about: 'Override the key sequence for detaching a container',
});

/**
 * The keys that a flag names; those of docker's config.json where it names none, or an empty text, and somebody will type.
 * @throws {ToolError} ERR_USAGE
 */
export async function wantedDetachKeys(
  text: string | undefined,
  { env, isInteractive }: { env: Context['env']; isInteractive: boolean },
): Promise<Uint8Array> {
  const wanted = hasText(text) ? text : isInteractive ? await configuredKeys(env) : undefined;
  return wanted === undefined ? DEFAULT_DETACH_KEYS : parseDetachKeys(wanted);
}

/** A file that cannot be read or understood says nothing of keys; who needs its logins says what is wrong with it. */
async function configuredKeys({ DOCKER_CONFIG: folder, HOME: home }: Context['env']): Promise<string | undefined> {
  if (!hasText(folder) && !hasText(home)) return undefined;
  try {
    const text = await readFile(join(hasText(folder) ? folder : join(home ?? '', '.docker'), 'config.json'), 'utf8');
    const { detachKeys } = JSON.parse(text) as { detachKeys?: unknown };
    return typeof detachKeys === 'string' && hasText(detachKeys) ? detachKeys : undefined;
  } catch {
    return undefined;
  }
}

function hasText(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
