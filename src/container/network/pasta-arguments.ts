import type { PrivateAddresses } from './private-addresses.ts';
import type { PublishedPort } from './published-port.ts';

export interface PastaRequest {
  addresses: PrivateAddresses;
  ports: readonly PublishedPort[];
  /** Those of the container's resolv.conf. */
  forwarders: readonly string[];
  /** Whether the host is connected to anything. */
  isConnected: boolean;
  /** The process whose network namespace it serves; undefined: the namespace is its standard input. */
  pid: number | undefined;
}

/**
 * The arguments of pasta, in its options of 2023 and later: passt(1). What is not switched off would let the container at the
 * services that listen on the host's loopback: `-T` and `-U` are `auto` by default, and the gateway's address leads there.
 * When it is ready, it writes its process id to what is its standard output.
 */
export function pastaArguments({ addresses, ports, forwarders, isConnected, pid }: PastaRequest): string[] {
  const { ipv4, ipv6 } = addresses;
  return [
    '--foreground',
    '--quiet',
    '--config-net',
    `--ns-ifname=${INTERFACE}`,
    '--no-map-gw',
    `--address=${ipv4.container}`,
    '--netmask=24',
    `--gateway=${ipv4.gateway}`,
    ...(ipv6 === undefined ? ['--ipv4-only'] : [`--address=${ipv6.container}`, `--gateway=${ipv6.gateway}`]),
    // It wants an interface to copy from, and takes any where it is told the rest.
    ...(isConnected ? [] : ['--interface=lo', '--mac-addr=02:00:00:00:00:02']),
    ...(forwarders.length === 0 ? ['--dns=none'] : forwarders.map((address) => `--dns-forward=${address}`)),
    ...portArguments(
      '--tcp-ports',
      ports.filter(({ protocol }) => protocol === 'tcp'),
    ),
    ...portArguments(
      '--udp-ports',
      ports.filter(({ protocol }) => protocol === 'udp'),
    ),
    '--tcp-ns=none',
    '--udp-ns=none',
    '--pid=/proc/self/fd/1',
    ...(pid === undefined ? ['--netns=/proc/self/fd/0', '--no-netns-quit'] : [`${pid}`]),
  ];
}

/** The container's. */
export const INTERFACE = 'eth0';

function portArguments(option: string, ports: readonly PublishedPort[]): string[] {
  if (ports.length === 0) return [`${option}=none`];
  return ranges(ports).map(({ first, length }) => {
    const { address, hostPort, containerPort } = first;
    const [host, container] = [hostPort, containerPort].map((port) =>
      length === 1 ? `${port}` : `${port}-${port + length - 1}`,
    );
    return `${option}=${address === '' ? '' : `${address}/`}${host}:${container}`;
  });
}

/** Neighbours in one word: thousands of ports fit into a command line then. */
function ranges(ports: readonly PublishedPort[]): { first: PublishedPort; length: number }[] {
  const found: { first: PublishedPort; length: number }[] = [];
  for (const port of ports) {
    const last = found.at(-1);
    const isNext =
      last?.first.address === port.address &&
      port.hostPort === last.first.hostPort + last.length &&
      port.containerPort === last.first.containerPort + last.length;
    if (last !== undefined && isNext) last.length += 1;
    else found.push({ first: port, length: 1 });
  }
  return found;
}
