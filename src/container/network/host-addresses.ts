import { networkInterfaces } from 'node:os';
import { readIfThere } from '../../linux/read-if-there.ts';

/** The host's place in its networks. */
export interface HostAddresses {
  /** Of the interface that leads to everywhere else; undefined if none does. */
  ipv4: string | undefined;
  ipv6: string | undefined;
  /** Every IPv4 address of the host. */
  allIpv4: readonly string[];
}

/** Asks the kernel. */
export function readHostAddresses(): HostAddresses {
  const interfaces = networkInterfaces();
  const [ipv4, ipv6] = (['IPv4', 'IPv6'] as const).map((family) => {
    const text = readIfThere(`/proc/net/${family === 'IPv4' ? 'route' : 'ipv6_route'}`); // '': a kernel without that protocol
    const name = (family === 'IPv4' ? defaultInterface : defaultInterface6)(text);
    const found = interfaces[name ?? '']?.filter((one) => one.family === family && !one.internal);
    return found?.find(({ address }) => !address.startsWith('fe80:'))?.address;
  });
  const all = Object.values(interfaces).flatMap((list) => list ?? []);
  return { ipv4, ipv6, allIpv4: all.filter(({ family }) => family === 'IPv4').map(({ address }) => address) };
}

/** The interface of the default route in /proc/net/route: proc_pid_net(5). */
export function defaultInterface(text: string): string | undefined {
  const routes = text.split('\n').map((line) => line.trim().split(/\s+/));
  return routes.find(([, destination, , , , , , mask]) =>
    [destination, mask].every((word) => word === '00000000'),
  )?.[0];
}

/** The same of /proc/net/ipv6_route, where the loopback device has a default route that leads nowhere. */
export function defaultInterface6(text: string): string | undefined {
  const routes = text.split('\n').map((line) => line.trim().split(/\s+/));
  return routes
    .find(([to, length, ...rest]) => to === '0'.repeat(32) && length === '00' && rest.at(-1) !== 'lo')
    ?.at(-1);
}
