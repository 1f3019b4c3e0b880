import { INTERFACE } from './pasta-arguments.ts';
import type { PrivateAddresses } from './private-addresses.ts';
import type { PublishedPort } from './published-port.ts';

export interface Slirp4netnsRequest {
  addresses: PrivateAddresses;
  ports: readonly PublishedPort[];
  forwarders: readonly string[];
  pid: number;
}

/** Of the socket through which ports are published, in the program's current folder. */
export const API_SOCKET = 'network';

/** The arguments of slirp4netns 1.1 and later: slirp4netns(1). When it is ready, it says so at its descriptor 3. */
export function slirp4netnsArguments({ addresses, ports, forwarders, pid }: Slirp4netnsRequest): string[] {
  return [
    '--configure',
    '--mtu=65520',
    `--cidr=${addresses.ipv4.gateway.replace(/\d+$/, '0')}/24`,
    '--disable-host-loopback',
    // All ports of the name server are in reach otherwise, and it may be on the host's loopback.
    ...(forwarders.length === 0 ? ['--disable-dns'] : []),
    '--enable-sandbox',
    '--enable-seccomp',
    '--ready-fd=3',
    ...(ports.length === 0 ? [] : [`--api-socket=${API_SOCKET}`]),
    `${pid}`,
    INTERFACE,
  ];
}

/** What is said to the socket, for one port. */
export function publishRequest({ protocol, address, hostPort, containerPort }: PublishedPort): string {
  const [host_addr, host_port, guest_port] = [address === '' ? '0.0.0.0' : address, hostPort, containerPort];
  return JSON.stringify({ execute: 'add_hostfwd', arguments: { proto: protocol, host_addr, host_port, guest_port } });
}
