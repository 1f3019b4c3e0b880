import { readFile } from 'node:fs/promises';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { CredentialSource, Credentials } from './credentials.ts';

/** The key under which docker keeps the login for Docker Hub. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** Runs a credential helper (`docker-credential-<name>`) for a server address. */
export type CredentialHelper = (
  name: string,
  serverAddress: string,
  signal: AbortSignal,
) => Promise<Credentials | undefined>;

/** What of docker's config.json is about logins. Own properties only: the file is looked up by names from outside. */
export interface DockerLogins {
  auths: ReadonlyMap<string, Credentials | undefined>;
  credHelpers: ReadonlyMap<string, string>;
  credsStore: string | undefined;
}

/**
 * Logins from a `config.json` as docker writes it. The file is read at each question; a missing one has none.
 * Helpers that the file names are asked first if `helper` is given.
 * Throws ERR_AUTH for a file that is there and cannot be read.
 * https://github.com/docker/cli/blob/v29.0.0/cli/config/configfile/file.go
 */
export function credentialsFromDockerConfig(configPath: string, helper?: CredentialHelper): CredentialSource {
  return async (registry, signal) => {
    const text = await readConfig(configPath);
    if (text === undefined) return undefined;
    const logins = parseDockerLogins(text, configPath);
    const helperName = helperFor(logins, registry);
    const address = DOCKER_HUB_HOSTS.has(registry) ? DOCKER_HUB_KEY : registry;
    const found = helperName === undefined ? undefined : await helper?.(helperName, address, signal);
    return found ?? findLogin(logins, registry);
  };
}

async function readConfig(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(path, code, error);
  }
}

/** Reads the text of a config.json. Entries of other types than docker writes count as missing. Throws ERR_AUTH. */
export function parseDockerLogins(text: string, path: string): DockerLogins {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, 'it is not JSON', error);
  }
  const root = entriesOf(document);
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

function parseLogin(entry: ReadonlyMap<string, unknown>): Credentials | undefined {
  const token = entry.get('identitytoken');
  if (isText(token)) return { kind: 'identity', token };
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

function helperFor({ credHelpers, credsStore }: DockerLogins, registry: string): string | undefined {
  for (const [key, name] of credHelpers) if (hostOf(key) === hostOf(registry)) return name;
  return credsStore;
}

/** The exact key first, then any that names the same host with a scheme or a path. */
function findLogin({ auths }: DockerLogins, registry: string): Credentials | undefined {
  const exact = auths.get(registry) ?? (DOCKER_HUB_HOSTS.has(registry) ? auths.get(DOCKER_HUB_KEY) : undefined);
  if (exact !== undefined) return exact;
  for (const [key, login] of auths) if (login !== undefined && hostOf(key) === hostOf(registry)) return login;
  return undefined;
}

/** `https://index.docker.io/v1/` -> `docker.io`, `ghcr.io/x` -> `ghcr.io` */
function hostOf(key: string): string {
  const host = key
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/s, '')
    .toLowerCase();
  return DOCKER_HUB_HOSTS.has(host) ? 'docker.io' : host;
}

function entriesOf(value: unknown): ReadonlyMap<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return new Map(isObject ? Object.entries(value) : []);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function unreadable(path: string, reason: string, cause: unknown): ToolError {
  return new ToolError('ERR_AUTH', `Cannot read the logins in "${printable(path)}": ${reason}`, { cause });
}
