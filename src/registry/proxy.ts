import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { withoutBrackets } from './address.ts';
import { isInNetwork, isLoopbackHost } from './registry-url.ts';

/** Proxies by the scheme of the request. `noProxy` is a NO_PROXY list. */
export interface ProxySettings {
  http?: string | undefined;
  https?: string | undefined;
  noProxy?: string | undefined;
}

/** A proxy to connect to. `authorization` is for the proxy alone, and is not in `url`. */
export interface Proxy {
  url: URL;
  authorization: string | undefined;
}

/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY in upper or lower case; upper wins, as in Go programs. Empty counts as unset. */
export function proxyFromEnvironment(environment: Readonly<Record<string, string | undefined>>): ProxySettings {
  const read = (name: string): string | undefined => {
    const value = environment[name] === '' ? undefined : environment[name];
    return value ?? (environment[name.toLowerCase()] === '' ? undefined : environment[name.toLowerCase()]);
  };
  return { http: read('HTTP_PROXY'), https: read('HTTPS_PROXY'), noProxy: read('NO_PROXY') };
}

/**
 * The proxy for a request to `url`; undefined: connect directly. The machine itself is never asked for through one.
 * Throws ERR_USAGE for a proxy that is no http or https URL.
 */
export function proxyFor(url: URL, settings: ProxySettings): Proxy | undefined {
  const proxy = url.protocol === 'https:' ? settings.https : settings.http;
  if (proxy === undefined || proxy === '') return undefined;
  if (isLoopbackHost(url.hostname) || isExempt(url, settings.noProxy ?? '')) return undefined;
  return parseProxy(proxy);
}

/** Reads `[http://][user:password@]host:port`. Throws ERR_USAGE for anything else than an http or https URL. */
export function parseProxy(text: string): Proxy {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const shown = printable(text.replace(/\/\/[^/]*@/, '//'));
    throw new ToolError('ERR_USAGE', `Cannot use proxy "${shown}": an http:// or https:// URL was wanted`);
  }
  const credentials = `${unescape(url.username)}:${unescape(url.password)}`;
  const authorization = credentials === ':' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
  return { url: new URL(url.origin), authorization };
}

/** Percent escapes read; a text with a wrong one is meant as it stands. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * NO_PROXY as Go and curl read it: `*` for all, `example.com` with its subdomains, `.example.com` and `*.example.com`
 * the subdomains only, addresses, networks, each with an optional `:port`.
 */
function isExempt(url: URL, noProxy: string): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const hostname = url.hostname.toLowerCase();
  return noProxy.split(/[\s,]+/).some((entry) => matches(entry.toLowerCase(), hostname, port));
}

function matches(entry: string, hostname: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(hostname, entry);
  const [, host = entry, wantedPort] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const suffix = host.startsWith('*.') ? host.slice(1) : host;
  if (suffix.startsWith('.')) return hostname.endsWith(suffix);
  return withoutBrackets(hostname) === withoutBrackets(suffix) || hostname.endsWith(`.${suffix}`);
}
