import { isIP } from 'node:net';
import type { DnsOptions } from './parse-dns.ts';

/** Addresses in the container's network at which the host's own name servers answer, if they cannot be reached otherwise. */
export interface Forwarders {
  ipv4: string;
  /** Undefined if the container has no IPv6. */
  ipv6: string | undefined;
}

export interface ResolvConf {
  text: string;
  /** The addresses of forwarders that it names. */
  forwarders: readonly string[];
}

/**
 * The container's /etc/resolv.conf. With the host's network, or none, it is the host's with what the user says; a network of its
 * own does not reach the host's loopback nor its links, so that servers there are replaced by a forwarder.
 * @param host text of the host's file
 * @param forwarders only for a network of its own
 */
export function containerResolvConf(
  host: string,
  { servers, search, options }: DnsOptions,
  forwarders: Forwarders | undefined,
): ResolvConf {
  const isUntouched = forwarders === undefined && [servers, search, options].every((list) => list.length === 0);
  if (isUntouched) return { text: host, forwarders: [] };
  const found = settings(host);
  const chosen = servers.length > 0 ? servers : inReach(found.servers, forwarders);
  const domains = search.length > 0 ? search.filter((domain) => domain !== '.') : found.search;
  const flags = options.length > 0 ? options : found.options;
  const lines = [
    ...chosen.map((server) => `nameserver ${server}`),
    ...(domains.length > 0 ? [`search ${domains.join(' ')}`] : []),
    ...(flags.length > 0 ? [`options ${flags.join(' ')}`] : []),
  ];
  const used = [forwarders?.ipv4, forwarders?.ipv6].filter((one) => one !== undefined);
  return {
    text: lines.map((line) => `${line}\n`).join(''),
    forwarders: servers.length > 0 ? [] : used.filter((one) => chosen.includes(one)),
  };
}

/** The last `search` or `domain` counts: resolv.conf(5). */
function settings(text: string): DnsOptions {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const values = (...keys: string[]): string[][] =>
    lines.filter(([key = '']) => keys.includes(key)).map((line) => line.slice(1));
  return {
    servers: values('nameserver').flatMap(([server = '']) => (isIP(server) === 0 ? [] : [server])),
    search: values('search', 'domain').at(-1) ?? [],
    options: values('options').flat(),
  };
}

function inReach(servers: readonly string[], forwarders: Forwarders | undefined): string[] {
  if (forwarders === undefined) return [...servers];
  const replaced = servers.flatMap((server): string[] => {
    const isIpv6 = isIP(server) === 6;
    if (isLocal(server)) return [isIpv6 ? forwarders.ipv6 : forwarders.ipv4].filter((one) => one !== undefined);
    return isIpv6 && forwarders.ipv6 === undefined ? [] : [server];
  });
  return [...new Set(replaced)];
}

/** Loopback (all of 127.0.0.0/8 is), or of one link only. */
function isLocal(server: string): boolean {
  return /^(?:127|169\.254)\./.test(server) || server === '::1' || /^fe[89ab][0-9a-f]:/i.test(server);
}
