import type { LookupFunction } from 'node:net';
import type { Authorizer } from './authorizer.ts';
import { createAuthorizer } from './authorizer.ts';
import type { CertificateSource } from './ca.ts';
import type { CredentialSource } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import { guessEndpoint } from './endpoint.ts';
import { readCertificateFolders } from './certificate-folder.ts';
import type { HostCertificates, HostEntry } from './host-entry.ts';
import { OWN_HOST } from './host-entry.ts';
import type { ProxySettings } from './proxy.ts';
import { DOCKER_HUB, DOCKER_HUB_ENDPOINT, isInsecureRegistry } from './registry-url.ts';
import type { Retrying } from './retry.ts';
import type { Transport } from './transport.ts';
import { createTransport } from './transport.ts';
import type { RateLimits } from './watch-rate.ts';

export interface ChannelSettings {
  insecureRegistries: readonly string[];
  credentials: CredentialSource;
  tokenServers: Readonly<Record<string, string>>;
  certificates: CertificateSource | undefined;
  /** Laid out as docker's `/etc/docker/certs.d`. */
  certificateFolders: readonly string[];
  proxy: ProxySettings;
  userAgent: string;
  maxConnectionsPerHost: number;
  timeouts: Timeouts;
  retrying: Retrying;
  lookup: LookupFunction | undefined;
}

export interface Timeouts {
  /** Until a connection stands, TLS included. */
  connectMs: number;
  /** From the request to the head of its answer. */
  headersMs: number;
  /** How slow a body may come. */
  rate: RateLimits;
}

/** All there is to one host: its connections, its logins and tokens, its scheme. Shared by the repositories on it. */
export interface RegistryChannel {
  /** Under which it has logins, certificates and exceptions: `docker.io`, `mirror.example:5000`. */
  name: string;
  transport: Transport;
  authorizer: Authorizer;
  retrying: Retrying;
  endpoint: Endpoint;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** `registryName`: as in references; of a mirror, the registry that it is one of. `entry`: what is known of the host. */
export function openChannel(
  registryName: string,
  settings: ChannelSettings,
  entry: HostEntry = OWN_HOST,
): RegistryChannel {
  const { timeouts, retrying, credentials, tokenServers } = settings;
  const { timing } = retrying;
  const hostName = hostNameOf(entry, registryName);
  const isInsecure = isInsecureRegistry(hostName, settings.insecureRegistries);
  const transport = createTransport({
    ...settings,
    timing,
    connectTimeoutMs: entry.connectMs ?? timeouts.connectMs,
    headersTimeoutMs: timeouts.headersMs,
    rate: timeouts.rate,
    verifyCertificates: !isInsecure && !entry.skipVerify,
    hostCertificates: async () => certificatesOf(entry, hostName, settings.certificateFolders),
    ownHeaders: entry.headers,
    proxy: entry.proxy === undefined ? settings.proxy : { http: entry.proxy, https: entry.proxy },
  });
  const closing = new AbortController();
  const closed = closing.signal;
  const { origin, apiRoot } = entry;
  const namespace = hostName === registryName.toLowerCase() ? undefined : registryName;
  return {
    name: hostName,
    transport,
    authorizer: createAuthorizer({ transport, registryName: hostName, credentials, tokenServers, timing, closed }),
    retrying,
    endpoint: guessEndpoint({ registryName: hostName, isInsecure, transport, origin, apiRoot, namespace }),
    async close() {
      closing.abort();
      await transport.close();
    },
  };
}

/** A mirror is a registry of its own: it has its own logins, and none of those of the registry that it stands for. */
function hostNameOf({ origin }: HostEntry, registryName: string): string {
  if (origin === undefined) return registryName;
  return origin.hostname === DOCKER_HUB_ENDPOINT && origin.port === '' ? DOCKER_HUB : origin.host;
}

async function certificatesOf(
  { certificates }: HostEntry,
  hostName: string,
  folders: readonly string[],
): Promise<HostCertificates> {
  const isGiven = certificates.ca.length > 0 || certificates.client.length > 0;
  return isGiven ? certificates : readCertificateFolders(folders, hostName);
}
