import { readFileSync } from 'node:fs';
import { hasErrno } from '../../fs/disk-error.ts';
import type { HostFacts } from '../../linux/host-facts.ts';
import type { ContainerOptions } from '../container-options.ts';
import type { NetworkMode } from '../steps/namespaces.ts';
import { networkMode } from './network-name.ts';
import type { NetworkService } from './network-service.ts';
import { containerResolvConf } from './resolv-conf.ts';
import type { ExposedPort, PublishedPort } from './published-port.ts';

/** A container's network before the container is there. */
export interface PreparedNetwork {
  mode: NetworkMode;
  /** The container's own, and the host's as the container reaches it; IPv4 first. */
  addresses: readonly string[];
  gateways: readonly string[];
  /** Text of its /etc/resolv.conf. */
  resolvConf: string;
  ports: readonly (PublishedPort | ExposedPort)[];
  /** Connects the network namespace of process `pid`; undefined if nobody has to. */
  connect: ((place: NetworkPlace) => Promise<NetworkService>) | undefined;
}

export interface NetworkPlace {
  pid: number;
  /** The container's. */
  folder: string;
}

export interface NetworkSources {
  options: Pick<ContainerOptions, 'network' | 'publish' | 'publishAll' | 'dns'>;
  /** EXPOSE of the image. */
  exposed: readonly string[];
  host: Pick<HostFacts, 'ownership'>;
  runnerFolder: string;
  signal?: AbortSignal | undefined;
}

/**
 * Finds what the network takes, and ports of the host for those that are published. Only a private network costs anything.
 * @throws {ToolError} ERR_HOST, ERR_CONFLICT, ERR_USAGE, ERR_UNSUPPORTED; and the reason of the signal
 */
export async function prepareNetwork(sources: NetworkSources): Promise<PreparedNetwork> {
  const { dns = NO_DNS_OPTIONS, network } = sources.options;
  const mode = networkMode(network);
  const host = hostFile('resolv.conf') ?? '';
  if (mode === 'private') return (await import('./prepare-private-network.ts')).preparePrivateNetwork(sources, host);
  return {
    mode,
    addresses: ['127.0.0.1'],
    gateways: mode === 'host' ? ['127.0.0.1'] : [],
    resolvConf: containerResolvConf(host, dns, undefined).text,
    ports: [],
    connect: undefined,
  };
}

export const NO_DNS_OPTIONS = { servers: [], search: [], options: [] } as const;

/** Of the host's /etc. */
export function hostFile(name: string): string | undefined {
  try {
    return readFileSync(`/etc/${name}`, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}
