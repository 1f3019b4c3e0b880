import { isIPv4, isIPv6 } from 'node:net';
import { ToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { parsePortRange } from './port-range.ts';
import type { PortRange, PortRequest, Protocol } from './published-port.ts';

/**
 * Reads one `-p`: `[[ADDRESS:][HOST]:]CONTAINER[/tcp|/udp]`, an IPv6 address in brackets, ports as numbers or ranges. One request
 * for each port of the container.
 * https://docs.docker.com/reference/cli/docker/container/run/#publish
 * @throws {ToolError} ERR_USAGE, ERR_UNSUPPORTED for SCTP
 */
export function parsePublish(text: string): PortRequest[] {
  const refuse = (reason: string): ToolError =>
    new ToolError('ERR_USAGE', `Cannot publish "${printable(text)}": ${reason}`, {
      hint: 'The form is [[ADDRESS:][HOST PORT]:]CONTAINER PORT[/tcp|/udp], as in 127.0.0.1:8080:80.',
    });
  const { address, host, container, protocol } = split(text);
  if (protocol === 'sctp') {
    throw new ToolError('ERR_UNSUPPORTED', `Cannot publish "${printable(text)}": only tcp and udp can be published`);
  }
  if (protocol !== 'tcp' && protocol !== 'udp') throw refuse(`invalid proto: ${printable(protocol)}`);
  if (address !== '' && !isAddress(address)) throw refuse(`invalid IP address: ${printable(address)}`);
  const containerPorts = parsePortRange(container);
  if (containerPorts === undefined) throw refuse(`invalid containerPort: ${printable(container)}`);
  // Docker takes 0 for any port.
  const hostPorts = host === '' || host === '0' ? undefined : parsePortRange(host);
  if (hostPorts === undefined && host !== '' && host !== '0') throw refuse(`invalid hostPort: ${printable(host)}`);
  const isOne = containerPorts.first === containerPorts.last;
  if (hostPorts !== undefined && !isOne && sizeOf(hostPorts) !== sizeOf(containerPorts)) {
    throw refuse(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
  return requests({ protocol, address, hostPorts, containerPorts });
}

/** A range on the host for one port of the container is a choice; for as many ports, each has its own. */
function requests(spec: {
  protocol: Protocol;
  address: string;
  hostPorts: PortRange | undefined;
  containerPorts: PortRange;
}): PortRequest[] {
  const { protocol, address, hostPorts, containerPorts } = spec;
  const size = sizeOf(containerPorts);
  return Array.from({ length: size }, (_, index) => {
    const first = (hostPorts?.first ?? 0) + index;
    const own = hostPorts === undefined || size === 1 ? hostPorts : { first, last: first };
    return { protocol, address, hostPorts: own, containerPort: containerPorts.first + index };
  });
}

function sizeOf({ first, last }: PortRange): number {
  return last - first + 1;
}

function split(text: string): { address: string; host: string; container: string; protocol: string } {
  const slash = text.indexOf('/');
  const [ports, protocol] = slash === -1 ? [text, 'tcp'] : [text.slice(0, slash), text.slice(slash + 1).toLowerCase()];
  const last = ports.lastIndexOf(':');
  if (last === -1) return { address: '', host: '', container: ports, protocol };
  const before = ports.slice(0, last);
  const middle = before.lastIndexOf(':');
  const address = middle === -1 ? '' : before.slice(0, middle);
  // `[::1]` without a port for the host would look like one.
  if (middle === -1 && before === '') return { address: '', host: '-', container: ports.slice(last + 1), protocol };
  return { address: unbracket(address), host: before.slice(middle + 1), container: ports.slice(last + 1), protocol };
}

function unbracket(address: string): string {
  const inside = /^\[(.*)\]$/.exec(address)?.[1];
  // Brackets are for IPv6 and IPv6 is in brackets: everything else is left as it is, to be refused.
  return inside !== undefined && isIPv6(inside) ? inside : isIPv6(address) ? `${address} without brackets` : address;
}

/** Not with a zone (`fe80::1%eth0`): what comes behind the % is another option to the programs that get it. */
function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes('%'));
}
