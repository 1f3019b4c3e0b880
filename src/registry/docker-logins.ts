import { readFile } from 'node:fs/promises';
import { isToolError, ToolError } from '../errors.ts';
import { hasErrno } from '../fs/disk-error.ts';
import { printable } from '../printable.ts';
import type { Credentials } from './credentials.ts';
import { keysOf, loginKey, scopeOfKey } from './login-key.ts';

/** What of docker's config.json is about logins. Own properties only: the file is looked up by names from outside. */
export interface DockerLogins {
  auths: ReadonlyMap<string, Credentials | undefined>;
  credHelpers: ReadonlyMap<string, string>;
  credsStore: string | undefined;
}

/** A helper that a file names, for a registry or for all of them. */
export interface ConfiguredHelper {
  name: string;
  setting: 'credHelpers' | 'credsStore';
}

/** Reads a file with logins; a missing one is undefined. Throws ERR_AUTH, with the system's error as its cause if that was it. */
export async function readDockerLogins(path: string): Promise<DockerLogins | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw unreadable(path, error instanceof Error && 'code' in error ? String(error.code) : '', error);
  }
  return parseDockerLogins(text, path);
}

/**
 * Whether a file could not be read because it is another user's, to which an inherited XDG_RUNTIME_DIR leads after `su`:
 * no reason to fail for what does not need it.
 */
export function isForbiddenFile(error: unknown): boolean {
  return isToolError(error, 'ERR_AUTH') && hasErrno(error.cause, 'EACCES', 'EPERM');
}

/** Entries of other types than docker writes count as missing. */
function parseDockerLogins(text: string, path: string): DockerLogins {
  const root = entriesOf(parseLoginFile(text, path));
  const helpers = [...entriesOf(root.get('credHelpers'))].filter((entry): entry is [string, string] =>
    isText(entry[1]),
  );
  const store = root.get('credsStore');
  return {
    auths: new Map([...entriesOf(root.get('auths'))].map(([key, value]) => [key, parseLogin(entriesOf(value))])),
    credHelpers: new Map(helpers),
    credsStore: isText(store) ? store : undefined,
  };
}

/** The JSON of a file with logins; docker takes an empty one for one without any. Throws ERR_AUTH. */
export function parseLoginFile(text: string, path: string): unknown {
  try {
    return text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    // Without its cause: JSON.parse quotes what it cannot read, and that may be a password.
    throw unreadable(path, 'it is not JSON');
  }
}

/** The helper that keeps the login for `registry`. */
export function helperFor({ credHelpers, credsStore }: DockerLogins, registry: string): ConfiguredHelper | undefined {
  const [key] = keysOf(registry, credHelpers.keys());
  const name = key === undefined ? undefined : credHelpers.get(key);
  if (name !== undefined) return { name, setting: 'credHelpers' };
  return credsStore === undefined ? undefined : { name: credsStore, setting: 'credsStore' };
}

/**
 * The login of the narrowest entry that holds `repository`, `quay.io/org/image` before `quay.io/org` before `quay.io`;
 * of several spellings of the registry's name (`https://quay.io`) the one that docker writes.
 */
export function findLogin({ auths }: DockerLogins, registry: string, repository: string = ''): Credentials | undefined {
  const wanted = scopeOfKey(registry).registry;
  let best: { login: Credentials; rank: number } | undefined;
  for (const [key, login] of auths) {
    const { registry: host, namespace } = scopeOfKey(key);
    if (login === undefined || host !== wanted || !isWithin(repository, namespace)) continue;
    const rank = namespace.length * 2 + (key === loginKey(registry) ? 1 : 0);
    if (best === undefined || rank > best.rank) best = { login, rank };
  }
  return best?.login;
}

function isWithin(repository: string, namespace: string): boolean {
  return namespace === '' || `${repository}/`.startsWith(`${namespace}/`);
}

function parseLogin(entry: ReadonlyMap<string, unknown>): Credentials | undefined {
  const identity = entry.get('identitytoken');
  if (isText(identity)) return { kind: 'identity', token: identity };
  const bearer = entry.get('registrytoken');
  if (isHeaderText(bearer)) return { kind: 'bearer', token: bearer };
  const auth = entry.get('auth');
  const decoded = isText(auth) ? Buffer.from(auth, 'base64').toString() : undefined;
  const colon = decoded?.indexOf(':') ?? -1;
  // docker pads with NUL bytes in old files
  const fromAuth =
    decoded === undefined || colon === -1
      ? []
      : [decoded.slice(0, colon), decoded.slice(colon + 1).replace(/\0+$/, '')];
  const [username = entry.get('username'), password = entry.get('password')] = fromAuth;
  return isText(username) && isText(password) ? { kind: 'password', username, password } : undefined;
}

function entriesOf(value: unknown): ReadonlyMap<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return new Map(isObject ? Object.entries(value) : []);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isHeaderText(value: unknown): value is string {
  return isText(value) && /^[\x21-\x7e]+$/.test(value);
}

function unreadable(path: string, reason: string, cause?: unknown): ToolError {
  return new ToolError('ERR_AUTH', `Cannot read the logins in "${printable(path)}": ${reason}`, { cause });
}
