import { dirname, resolve } from 'node:path';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { parseGoDuration } from './go-duration.ts';
import type { ClientCertificate, HostCapability, HostEntry } from './host-entry.ts';
import { OWN_HOST } from './host-entry.ts';
import { parseProxy } from './proxy.ts';
import { DOCKER_HUB_ENDPOINT } from './registry-url.ts';

const MAX_SHOWN = 60; // characters of a wrong value in a message

const CAPABILITIES: readonly HostCapability[] = ['pull', 'resolve', 'push'];

/** What frames a message, or says which bytes of a blob are wanted: another value would break the transfer. */
const OUR_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A table of the file, and where it stands: keys that are not read here mean nothing to us. */
interface Table {
  file: string;
  /** `` or `host."https://mirror.example".`, to stand before a key in a message. */
  prefix: string;
  values: Readonly<Record<string, unknown>>;
}

/**
 * The hosts of a `hosts.toml`, in the order of the file, the server last.
 * `file`: its path, to which paths in it are relative. Throws ERR_HOST, with the file and the key.
 * https://github.com/containerd/containerd/blob/v2.2.0/docs/hosts.md
 */
export async function parseHostsFile(text: string, file: string): Promise<HostEntry[]> {
  const { parse } = await import('smol-toml');
  let values: Record<string, unknown>;
  try {
    values = parse(text);
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw unusable({ file }, reason);
  }
  const root: Table = { file, prefix: '', values };
  const mirrors = Object.entries(table(root, 'host')?.values ?? {}).map(([url, value]) => {
    const prefix = `host.${JSON.stringify(url)}`;
    if (!isTable(value)) throw wrong(root, prefix, { is: value, wanted: 'a table' });
    const own: Table = { file, prefix: `${prefix}.`, values: value };
    return parseEntry(own, parseUrl(root, prefix, url));
  });
  const server = string(root, 'server') ?? '';
  return [...mirrors, parseEntry(root, server === '' ? undefined : parseUrl(root, 'server', server))];
}

function parseEntry(from: Table, url: URL | undefined): HostEntry {
  const timeout = string(from, 'dial_timeout');
  const connectMs = timeout === undefined || timeout === '' ? undefined : parseGoDuration(timeout);
  if (timeout !== undefined && timeout !== '' && (connectMs === undefined || connectMs <= 0)) {
    throw wrong(from, 'dial_timeout', { is: timeout, wanted: 'a duration such as "5s" or "500ms"' });
  }
  return {
    origin: url === undefined ? undefined : new URL(url.origin),
    apiRoot: url === undefined ? OWN_HOST.apiRoot : apiRootOf(url, boolean(from, 'override_path')),
    capabilities: parseCapabilities(from),
    certificates: { ca: parsePaths(from, 'ca'), client: parseClient(from) },
    skipVerify: boolean(from, 'skip_verify'),
    headers: parseHeaders(from),
    connectMs,
    proxy: parseProxyUrl(from),
  };
}

/** Without a scheme https is meant. */
function parseUrl(from: Table, key: string, text: string): URL {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  const isWeb = url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
  // A password would stand in the file, in errors and in logs: logins have a place of their own.
  if (!isWeb || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    const shown = key.replace(/\/\/[^/]*@/, '//');
    throw unusable(from, `${shown} is not an http:// or https:// URL without user name, query and fragment`);
  }
  // containerd's own example has this name, which is that of a web site.
  if (url.hostname === 'docker.io') url.hostname = DOCKER_HUB_ENDPOINT;
  return url;
}

function apiRootOf({ pathname }: URL, isOverridden: boolean): string {
  const path = pathname.replace(/\/{2,}/g, '/').replace(/\/$/, '');
  return isOverridden || path.endsWith('/v2') ? path : `${path}/v2`;
}

/** None are all, as in containerd. */
function parseCapabilities(from: Table): ReadonlySet<HostCapability> {
  const names = strings(from, 'capabilities') ?? [];
  const found = names.map((name) => {
    const capability = CAPABILITIES.find((one) => one === name.toLowerCase());
    if (capability === undefined)
      throw wrong(from, 'capabilities', { is: name, wanted: `one of ${CAPABILITIES.join(', ')}` });
    return capability;
  });
  return found.length === 0 ? OWN_HOST.capabilities : new Set(found);
}

function parsePaths(from: Table, key: string): string[] {
  const value = from.values[key];
  const paths = typeof value === 'string' ? [value] : (strings(from, key) ?? []);
  return paths.map((path) => absolute(from, path));
}

/** `"both.pem"`, `["both.pem", …]` or `[["certificate", "key"], …]`, where an empty key is in the certificate's file. */
function parseClient(from: Table): ClientCertificate[] {
  const value = from.values['client'];
  const entries: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return entries.map((entry) => {
    const pair: unknown[] = Array.isArray(entry) ? entry : [entry];
    const [certificate, key = '', ...rest] = pair;
    if (typeof certificate !== 'string' || typeof key !== 'string' || rest.length > 0) {
      throw wrong(from, 'client', { is: entry, wanted: 'a path or a pair of paths' });
    }
    const path = absolute(from, certificate);
    return { certificate: path, key: key === '' ? path : absolute(from, key) };
  });
}

function parseHeaders(from: Table): Record<string, string> {
  const header = table(from, 'header');
  const names = Object.keys(header?.values ?? {});
  if (header === undefined) return {};
  return Object.fromEntries(
    names.map((name) => {
      const values = [header.values[name]].flat();
      if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) || OUR_HEADERS.has(name.toLowerCase())) {
        throw wrong(header, name, { is: name, wanted: 'the name of a header that may be set' });
      }
      // Not a character more than a header can carry: a line break would start another one. The text may be a secret.
      if (!values.every((value) => typeof value === 'string' && /^[\t\x20-\x7e]*$/.test(value))) {
        throw unusable(header, `${header.prefix}${name} is not a text, or a list of texts, in printable ASCII`);
      }
      return [name.toLowerCase(), values.join(', ')];
    }),
  );
}

function parseProxyUrl(from: Table): string | undefined {
  const proxy = string(from, 'proxy');
  if (proxy === undefined || proxy === '') return undefined;
  try {
    parseProxy(proxy);
    return proxy;
  } catch (error) {
    if (error instanceof ToolError) {
      throw new ToolError('ERR_HOST', `${error.message}, in ${from.prefix}proxy of "${printable(from.file)}"`);
    }
    throw error;
  }
}

function absolute({ file }: Table, path: string): string {
  return resolve(dirname(file), path);
}

function string(from: Table, key: string): string | undefined {
  const value = from.values[key];
  if (value === undefined || typeof value === 'string') return value;
  throw wrong(from, key, { is: value, wanted: 'a string' });
}

function boolean(from: Table, key: string): boolean {
  const value = from.values[key];
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw wrong(from, key, { is: value, wanted: 'true or false' });
}

function strings(from: Table, key: string): string[] | undefined {
  const value = from.values[key];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string')) return value;
  throw wrong(from, key, { is: value, wanted: 'a list of strings' });
}

function table(from: Table, key: string): Table | undefined {
  const value = from.values[key];
  if (value === undefined) return undefined;
  if (!isTable(value)) throw wrong(from, key, { is: value, wanted: 'a table' });
  return { file: from.file, prefix: `${from.prefix}${key}.`, values: value };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function wrong(from: Table, key: string, { is, wanted }: { is: unknown; wanted: string }): ToolError {
  return unusable(from, `${from.prefix}${key} is ${printable(JSON.stringify(is), MAX_SHOWN)}, ${wanted} was wanted`);
}

function unusable({ file }: Pick<Table, 'file'>, problem: string): ToolError {
  return new ToolError('ERR_HOST', `Cannot use "${printable(file)}": ${printable(problem)}`);
}
