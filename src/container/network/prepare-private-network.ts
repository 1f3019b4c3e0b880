import { ToolError } from '../../errors.ts';
import { callerInside } from '../../linux/ownership.ts';
import type { Ownership } from '../../linux/ownership.ts';
import { NO_DNS_OPTIONS } from './parse-dns.ts';
import type { DnsOptions } from './parse-dns.ts';
import { choosePorts } from './choose-ports.ts';
import { filterFrames } from './filter-frames.ts';
import { findNetworkProgram } from './find-network-program.ts';
import { readHostAddresses } from './host-addresses.ts';
import type { HostAddresses } from './host-addresses.ts';
import type { NetworkRequest, NetworkService } from './network-service.ts';
import { exposedPorts } from './port-range.ts';
import type { NetworkSources, PreparedNetwork } from './prepared-network.ts';
import { privateAddresses } from './private-addresses.ts';
import type { ExposedPort, PortRequest, PublishedPort } from './published-port.ts';
import { containerResolvConf } from './resolv-conf.ts';
import { startPasta } from './start-pasta.ts';
import { startSlirp4netns } from './start-slirp4netns.ts';

/**
 * As prepareNetwork.
 * @param resolvConf text of the host's
 */
export async function preparePrivateNetwork(sources: NetworkSources, resolvConf: string): Promise<PreparedNetwork> {
  const { options, runnerFolder, signal } = sources;
  const isRoot = sources.host.ownership.kind === 'root';
  const program = findNetworkProgram(options.network, isRoot);
  if (program.name === 'slirp4netns') checkRoot(sources.kept?.ownership);
  const host = readHostAddresses();
  // slirp4netns gives out IPv6 addresses of its own making, and publishes none.
  const hasIpv6 = program.name === 'pasta' && host.ipv6 !== undefined;
  const addresses = privateAddresses({ ...host, ipv6: hasIpv6 ? host.ipv6 : undefined });
  const everywhere = hasIpv6 ? ['0.0.0.0', '::'] : ['0.0.0.0'];
  const exposed = exposedPorts(sources.exposed);
  const requests = [
    ...(options.publish ?? []),
    ...(options.publishAll === true ? allOf(exposed, options.publish) : []),
  ];
  const ports = await choosePorts(requests, everywhere, signal);
  const names = namesOf(resolvConf, options.dns ?? NO_DNS_OPTIONS, addresses);
  const start = program.name === 'pasta' ? startPasta : startSlirp4netns;
  const request: Omit<NetworkRequest, 'pid' | 'folder'> = {
    program: program.path,
    addresses,
    ports,
    forwarders: names.forwarders,
    isConnected: isConnected(host),
    isRoot,
    wantsDevice: program.wantsDevice,
    runnerFolder,
    signal,
  };
  return {
    mode: 'private',
    addresses: [addresses.ipv4.container, addresses.ipv6?.container].filter((one) => one !== undefined),
    // Both would have a client wait: the pasta of 2023 says nothing to it where nobody listens at the first.
    gateways: [host.ipv4 ?? host.ipv6].filter((one) => one !== undefined),
    resolvConf: names.text,
    ports: [...ports.flatMap((port) => spelledOut(port, everywhere)), ...unpublished(exposed, ports)],
    connect: async ({ pid, folder }) => connectNetwork(start, { ...request, pid, folder }),
  };
}

/** slirp4netns becomes root of the user namespace that it enters. */
function checkRoot(ownership: Ownership | undefined): void {
  if (ownership?.kind !== 'single' || callerInside(ownership).uid === 0) return;
  throw new ToolError(
    'ERR_UNSUPPORTED',
    'Cannot give the container a network of its own: slirp4netns wants a root of the container, and there is none with --userns keep-id',
    { hint: 'Use pasta, of the package passt, which wants none; or leave out --userns keep-id.' },
  );
}

async function connectNetwork(start: typeof startPasta, request: NetworkRequest): Promise<NetworkService> {
  const service = await start(request);
  try {
    await filterFrames(request);
    return service;
  } catch (error) {
    await service.stop();
    throw error;
  }
}

function namesOf(
  resolvConf: string,
  dns: DnsOptions,
  { ipv4, ipv6 }: NetworkRequest['addresses'],
): ReturnType<typeof containerResolvConf> {
  return containerResolvConf(resolvConf, dns, { ipv4: ipv4.forwarder, ipv6: ipv6?.forwarder });
}

function isConnected({ ipv4, ipv6 }: HostAddresses): boolean {
  return ipv4 !== undefined || ipv6 !== undefined;
}

/** `-P` leaves those to `-p` that are named there. */
function allOf(exposed: readonly ExposedPort[], named: readonly PortRequest[] = []): PortRequest[] {
  return exposed.flatMap(({ protocol, containerPort }): PortRequest[] => {
    if (protocol === 'sctp' || named.some((port) => isSame(port, { protocol, containerPort }))) return [];
    return [{ protocol, address: '', hostPorts: undefined, containerPort }];
  });
}

function unpublished(exposed: readonly ExposedPort[], ports: readonly PublishedPort[]): ExposedPort[] {
  return exposed.filter((one) => !ports.some((port) => isSame(port, one)));
}

function isSame(port: Pick<PublishedPort, 'protocol' | 'containerPort'>, other: ExposedPort): boolean {
  return port.protocol === other.protocol && port.containerPort === other.containerPort;
}

/** With the addresses that '' stands for. */
function spelledOut(port: PublishedPort, everywhere: readonly string[]): PublishedPort[] {
  return (port.address === '' ? everywhere : [port.address]).map((address) => ({ ...port, address }));
}
