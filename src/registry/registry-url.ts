import { BlockList, isIP } from 'node:net';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { reachOf, withoutBrackets } from './address.ts';

export const DOCKER_HUB = 'docker.io';
/** Where Docker Hub's images are: `docker.io` is a web site. */
export const DOCKER_HUB_ENDPOINT = 'registry-1.docker.io';

/** The URL of a registry as it is named in references (`docker.io`, `localhost:5000`). Throws ERR_REFERENCE. */
export function registryUrl(registry: string, scheme: 'http' | 'https'): URL {
  const host = registry === DOCKER_HUB ? DOCKER_HUB_ENDPOINT : registry;
  const url = /^[^/\\?#@\s]+$/.test(host) ? URL.parse(`${scheme}://${host}/`) : null;
  if (url !== null) return url;
  throw new ToolError('ERR_REFERENCE', `Cannot use registry "${printable(registry)}": host or host:port was wanted`);
}

/** Whether a URL's host is this machine by its own name; a name that only resolves to it does not count. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname.toLowerCase() === 'localhost' || reachOf(hostname) === 'loopback';
}

/**
 * Whether `registry` is in the user's list: `host`, `host:port` (each exact), or a network such as `10.0.0.0/8` for
 * registries that are named by their address.
 */
export function isInsecureRegistry(registry: string, insecureRegistries: readonly string[]): boolean {
  const name = registry.toLowerCase();
  const hostname = registryUrl(registry, 'http').hostname;
  return insecureRegistries.some((entry) => entry.toLowerCase() === name || isInNetwork(hostname, entry));
}

/** Whether `host`, an address in or out of brackets, lies in `network` (`10.0.0.0/8`, `fd00::/8`); names never do. */
export function isInNetwork(host: string, network: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  const address = withoutBrackets(host);
  const [hostFamily, networkFamily] = [isIP(address), isIP(base)];
  if (networkFamily === 0 || hostFamily !== networkFamily || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (networkFamily === 4 ? 32 : 128)) return false;
  const type = networkFamily === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(base, Number(bits), type);
  return list.check(address, type);
}
