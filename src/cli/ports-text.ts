import type { ContainerRecord } from '../container/container-record.ts';

/**
 * A container's ports as docker's `ps` shows them: `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp`. Neighbours are drawn together
 * where the host's ports have the container's numbers: `0.0.0.0:80-81->80-81/tcp`.
 * https://github.com/docker/cli/blob/v29.0.0/cli/command/formatter/container.go (DisplayablePorts)
 */
export function portsText(ports: NonNullable<ContainerRecord['ports']>): string {
  const sorted = ports.map(endpoint).sort(compare);
  const groups = new Map<string, { address: string; protocol: string; first: number; last: number }>();
  const [closed, mapped]: [string[], string[]] = [[], []];
  for (const { address, host, port, protocol } of sorted) {
    if (host !== undefined && host !== port) {
      mapped.push(`${bracketed(address)}:${host}->${port}/${protocol}`);
      continue;
    }
    const key = `${address}/${protocol}`;
    const group = groups.get(key);
    if (group?.last === port - 1) {
      group.last = port;
      continue;
    }
    if (group !== undefined) closed.push(groupText(group));
    groups.set(key, { address, protocol, first: port, last: port });
  }
  return [...closed, ...[...groups.values()].map(groupText), ...mapped].join(', ');
}

interface Endpoint {
  /** Of the host; '' if the port is not published. */
  address: string;
  host: number | undefined;
  port: number;
  protocol: string;
}

function endpoint(port: NonNullable<ContainerRecord['ports']>[number]): Endpoint {
  const { protocol, containerPort } = port;
  if (!('hostPort' in port)) return { address: '', host: undefined, port: containerPort, protocol };
  return { address: port.address, host: port.hostPort, port: containerPort, protocol };
}

function compare(a: Endpoint, b: Endpoint): number {
  return (
    a.port - b.port || order(a.address, b.address) || (a.host ?? 0) - (b.host ?? 0) || order(a.protocol, b.protocol)
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function groupText({
  address,
  protocol,
  first,
  last,
}: {
  address: string;
  protocol: string;
  first: number;
  last: number;
}): string {
  const ports = first === last ? `${first}` : `${first}-${last}`;
  return `${address === '' ? ports : `${bracketed(address)}:${ports}->${ports}`}/${protocol}`;
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
