import type { PrivateAddresses } from './private-addresses.ts';
import type { PublishedPort } from './published-port.ts';

/** What a program needs to know to connect a network namespace. */
export interface NetworkRequest {
  /** Absolute path of the program. */
  program: string;
  /** A process in the namespace, which stays until the program has started. */
  pid: number;
  /** The container's. */
  folder: string;
  addresses: PrivateAddresses;
  ports: readonly PublishedPort[];
  /** Addresses at which the host's name servers have to answer. */
  forwarders: readonly string[];
  /** Whether the host is connected to anything. */
  isConnected: boolean;
  /** The namespace belongs to the host's own user namespace. */
  isRoot: boolean;
  /** See NetworkProgram. */
  wantsDevice: boolean;
  runnerFolder: string;
  signal?: AbortSignal | undefined;
}

/** A network that works until `stop`, or until this process ends, however that ends. */
export interface NetworkService {
  /** Resolves when nothing of it is left. */
  stop: () => Promise<void>;
}
