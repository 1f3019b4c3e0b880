import { ToolError } from '../../errors.ts';
import { HOST_GATEWAY } from './parse-host-name.ts';
import type { HostName } from './parse-host-name.ts';

export interface HostsSources {
  /** Text of the host's file, with the host's network. */
  host: string | undefined;
  hostname: string;
  /** The container's own, IPv4 first. */
  addresses: readonly string[];
  /** The host's, as the container reaches it, IPv4 first; none if it does not. */
  gateways: readonly string[];
  added: readonly HostName[];
  /** Name the host by itself. */
  namesHost: boolean;
}

/**
 * The container's /etc/hosts: docker's lines, or the host's, then what was added, then the container's own name: many programs
 * look that up.
 * @throws {ToolError} ERR_USAGE for `host-gateway` where the host cannot be reached
 */
export function containerHosts(sources: HostsSources): string {
  const { host = LOCAL_HOSTS, hostname, addresses, gateways, added, namesHost } = sources;
  const resolved = added.flatMap(({ name, address }) => {
    if (address !== HOST_GATEWAY) return [{ name, address }];
    if (gateways.length > 0) return gateways.map((gateway) => ({ name, address: gateway }));
    throw new ToolError('ERR_USAGE', 'unable to derive the IP value for host-gateway', {
      hint: 'The container has no network in which the host has an address: give it one, or name an address in place of host-gateway.',
    });
  });
  const isNamed = added.some(({ name }) => name === HOST_NAME);
  const own = namesHost && !isNamed ? gateways.map((address) => ({ name: HOST_NAME, address })) : [];
  const names = [...resolved, ...own, ...addresses.map((address) => ({ name: hostname, address }))];
  return `${host.replace(/\n*$/, '\n')}${names.map(({ name, address }) => `${address}\t${name}\n`).join('')}`;
}

/** As Docker Desktop calls it. */
const HOST_NAME = 'host.docker.internal';

const LOCAL_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;
