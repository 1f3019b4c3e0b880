import { isToolError } from '../errors.ts';
import type { CredentialHelpers } from './credential-helper.ts';
import { helperFor, isForbiddenFile, readDockerLogins } from './docker-logins.ts';
import { editLoginFile } from './edit-login-file.ts';
import type { LoginFiles } from './login-files.ts';
import { keysOf, loginKey } from './login-key.ts';
import { parseLoginServer } from './login-server.ts';

export interface LogoutOptions {
  /** The login is removed from all of them. */
  files: LoginFiles;
  /** Needed where a file names a helper; see credentialHelpers. */
  helpers?: CredentialHelpers | undefined;
  signal?: AbortSignal | undefined;
}

export interface LogoutResult {
  /** As in references: `docker.io`, `localhost:5000`. */
  registry: string;
  /** Whether there was a login. */
  wasLoggedIn: boolean;
}

/**
 * Removes the login for a registry (Docker Hub when undefined) from files and helpers.
 * @throws {ToolError} ERR_REFERENCE, ERR_AUTH if a helper fails, ERR_HOST if the one that has the login is not installed,
 * ERR_STORE, ERR_NO_SPACE, ERR_ABORTED
 */
export async function logout(server: string | undefined, options: LogoutOptions): Promise<LogoutResult> {
  const { files, helpers, signal = new AbortController().signal } = options;
  const registry = parseLoginServer(server);
  let wasLoggedIn = false;
  for (const path of files) {
    const isRemoved = await removeFrom({ path, registry, helpers, signal });
    wasLoggedIn ||= isRemoved;
  }
  return { registry, wasLoggedIn };
}

interface Removal {
  path: string;
  registry: string;
  helpers: CredentialHelpers | undefined;
  signal: AbortSignal;
}

async function removeFrom(removal: Removal): Promise<boolean> {
  const { path, registry, helpers, signal } = removal;
  const logins = await readDockerLogins(path).catch((error: unknown) => {
    if (isForbiddenFile(error)) return undefined;
    throw error;
  });
  if (logins === undefined) return false;
  const keys = keysOf(registry, logins.auths.keys());
  // An entry without a login in it says that a helper has one: while it stands, that can still be removed.
  const markers = keys.filter((key) => logins.auths.get(key) === undefined);
  await removeKeys(
    keys.filter((key) => !markers.includes(key)),
    removal,
  );
  const helper = helperFor(logins, registry);
  let isErased = false;
  if (helper !== undefined && helpers !== undefined) {
    const call = { ...helper, server: loginKey(registry), path, signal };
    isErased = await helpers.erase(call).catch((error: unknown) => {
      if (markers.length === 0 && isToolError(error, 'ERR_HOST')) return false; // not installed, so never used
      throw error;
    });
  }
  await removeKeys(markers, removal);
  return isErased || keys.length > 0;
}

async function removeKeys(keys: string[], { path, signal }: Removal): Promise<void> {
  if (keys.length === 0) return;
  await editLoginFile(path, (auths) => keys.map((key) => auths.delete(key)).includes(true), signal);
}
