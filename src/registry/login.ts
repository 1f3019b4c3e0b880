import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { RegistryOptions } from './client.ts';
import type { CredentialHelpers } from './credential-helper.ts';
import type { Credentials } from './credentials.ts';
import { helperFor, isForbiddenFile, readDockerLogins } from './docker-logins.ts';
import { editLoginFile } from './edit-login-file.ts';
import type { LoginFiles } from './login-files.ts';
import { keysOf, loginKey } from './login-key.ts';
import { parseLoginServer } from './login-server.ts';

export interface LoginOptions {
  username: string;
  password: string;
  /** The login replaces one that the first of these has for the registry, else it goes to the last. */
  files: LoginFiles;
  /** Needed where a file names a helper; see credentialHelpers. */
  helpers?: CredentialHelpers | undefined;
  /** How to talk to the registry. Its `credentials` are not asked. */
  registry?: RegistryOptions | undefined;
  signal?: AbortSignal | undefined;
}

export interface LoginResult {
  /** As in references: `docker.io`, `localhost:5000`. */
  registry: string;
  storedIn: { kind: 'file'; path: string } | { kind: 'helper'; name: string };
  /** `identity`: the registry gave a token that stands for the password, which is not kept. */
  stored: 'password' | 'identity';
  /** false: the registry asked for no login, so nobody knows whether this one is right. */
  isChecked: boolean;
}

/**
 * Logs in to a registry (`ghcr.io`, `https://ghcr.io/v2/`, Docker Hub when undefined): verifies the login there, and
 * only then keeps it, with the helper that the file names or else in the file (mode 0600) as docker does.
 * @throws {ToolError} ERR_REFERENCE, ERR_USAGE, ERR_AUTH if the login is wrong or a helper fails, ERR_HOST if it is not
 * installed, ERR_REGISTRY, ERR_NETWORK, ERR_LIMIT, ERR_STORE, ERR_NO_SPACE, ERR_ABORTED
 */
export async function login(server: string | undefined, options: LoginOptions): Promise<LoginResult> {
  const { username, password, files, signal = new AbortController().signal } = options;
  const registry = parseLoginServer(server);
  checkLogin(username, password);
  const path = await fileFor(registry, files); // before the password is sent: the files must be readable
  const { createRegistryClient } = await import('./client.ts'); // undici, which the library's other users do without
  const client = createRegistryClient(options.registry);
  try {
    const { keep, isChecked } = await client.verifyLogin(registry, { kind: 'password', username, password }, signal);
    const storedIn = await store({ registry, username, login: keep, path, helpers: options.helpers, signal });
    return { registry, storedIn, stored: keep.kind === 'identity' ? 'identity' : 'password', isChecked };
  } finally {
    await client.close();
  }
}

function checkLogin(username: string, password: string): void {
  const name = `user name "${printable(username)}"`;
  if (username === '') throw new ToolError('ERR_USAGE', `Cannot use ${name}: it is empty`);
  if (username.includes(':')) {
    throw new ToolError('ERR_USAGE', `Cannot use ${name}: it has a colon in it, which ends a user name in HTTP`);
  }
  if (password === '')
    throw new ToolError('ERR_USAGE', `Cannot log in as "${printable(username)}": the password is empty`);
}

/** Where the next pull would find a login for `registry`, so that it finds this one. */
async function fileFor(registry: string, files: LoginFiles): Promise<string> {
  const last = files.at(-1) ?? files[0];
  for (const path of files) if (await hasLogin(path, registry, path === last)) return path;
  return last;
}

async function hasLogin(path: string, registry: string, isNeeded: boolean): Promise<boolean> {
  const logins = await readDockerLogins(path).catch((error: unknown) => {
    if (!isNeeded && isForbiddenFile(error)) return undefined;
    throw error;
  });
  if (logins === undefined) return false;
  const known = [...logins.auths].filter(([, found]) => found !== undefined).map(([key]) => key);
  return keysOf(registry, [...known, ...logins.credHelpers.keys()]).length > 0;
}

interface Storing {
  registry: string;
  username: string;
  login: Credentials;
  path: string;
  helpers: CredentialHelpers | undefined;
  signal: AbortSignal;
}

async function store(storing: Storing): Promise<LoginResult['storedIn']> {
  const { registry, username, login, path, helpers, signal } = storing;
  const logins = await readDockerLogins(path);
  const helper = logins === undefined ? undefined : helperFor(logins, registry);
  const server = loginKey(registry);
  if (helper !== undefined) {
    if (helpers === undefined) {
      const text = `Cannot store the login for "${server}": "${printable(path)}" names a helper for it, and none was given`;
      throw new ToolError('ERR_HOST', text);
    }
    await helpers.store({ ...helper, server, path, signal }, login);
  }
  await editLoginFile(
    path,
    (auths) => replaceEntry(auths, registry, helper === undefined ? entryFor(username, login) : {}),
    signal,
  );
  return helper === undefined ? { kind: 'file', path } : { kind: 'helper', name: helper.name };
}

function replaceEntry(auths: Map<string, unknown>, registry: string, entry: object): true {
  for (const key of keysOf(registry, auths.keys())) auths.delete(key);
  auths.set(loginKey(registry), entry);
  return true;
}

/** As docker writes it: beside an identity token the user name stands without its password. */
function entryFor(username: string, login: Credentials): object {
  const encode = (password: string): string => Buffer.from(`${username}:${password}`).toString('base64');
  if (login.kind === 'identity') return { auth: encode(''), identitytoken: login.token };
  return login.kind === 'password' ? { auth: encode(login.password) } : {};
}
