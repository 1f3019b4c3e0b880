import type { LookupFunction } from 'node:net';
import type { Authorizer } from './authorizer.ts';
import { createAuthorizer } from './authorizer.ts';
import type { CertificateSource } from './ca.ts';
import type { CredentialSource } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import { guessEndpoint } from './endpoint.ts';
import type { ProxySettings } from './proxy.ts';
import { isInsecureRegistry } from './registry-url.ts';
import type { Retrying } from './retry.ts';
import type { Transport } from './transport.ts';
import { createTransport } from './transport.ts';
import type { RateLimits } from './watch-rate.ts';

export interface ChannelSettings {
  insecureRegistries: readonly string[];
  credentials: CredentialSource;
  tokenServers: Readonly<Record<string, string>>;
  certificates: CertificateSource | undefined;
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

/** All there is to one registry: its connections, its logins and tokens, its scheme. Shared by its repositories. */
export interface RegistryChannel {
  transport: Transport;
  authorizer: Authorizer;
  retrying: Retrying;
  endpoint: Endpoint;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export function openChannel(registryName: string, settings: ChannelSettings): RegistryChannel {
  const { timeouts, retrying, credentials, tokenServers } = settings;
  const { timing } = retrying;
  const isInsecure = isInsecureRegistry(registryName, settings.insecureRegistries);
  const transport = createTransport({
    ...settings,
    timing,
    connectTimeoutMs: timeouts.connectMs,
    headersTimeoutMs: timeouts.headersMs,
    rate: timeouts.rate,
    verifyCertificates: !isInsecure,
  });
  const closing = new AbortController();
  const closed = closing.signal;
  const authorizer = createAuthorizer({ transport, registryName, credentials, tokenServers, timing, closed });
  return {
    transport,
    authorizer,
    retrying,
    endpoint: guessEndpoint({ registryName, isInsecure, transport }),
    async close() {
      closing.abort();
      await transport.close();
    },
  };
}
