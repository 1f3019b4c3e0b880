import type { HostFacts } from '../../linux/host-facts.ts';
import type { KeptIds } from '../../linux/keep-ids.ts';
import type { ContainerOptions } from '../container-options.ts';
import type { NetworkMode } from '../steps/namespaces.ts';
import type { NetworkService } from './network-service.ts';
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
  kept?: KeptIds | undefined;
  runnerFolder: string;
  signal?: AbortSignal | undefined;
}
