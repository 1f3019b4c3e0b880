import type { LookupFunction } from 'node:net';
import { isToolError } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import { familiarReference } from '../oci/reference.ts';
import type { CredentialSource, PasswordLogin } from './credentials.ts';
import { getManifest, headManifest } from './get-manifest.ts';
import { openBlob } from './open-blob.ts';
import type { ProxySettings } from './proxy.ts';
import { PINNED_TOKEN_SERVERS } from './realm.ts';
import type { ChannelSettings, RegistryChannel, Timeouts } from './registry-channel.ts';
import { openChannel } from './registry-channel.ts';
import type { RemoteRepository } from './repository.ts';
import type { RetryPolicy } from './retry.ts';
import { DEFAULT_RETRY_POLICY } from './retry.ts';
import type { Purpose } from './status-error.ts';
import type { Timing } from './timing.ts';
import { systemTiming } from './timing.ts';
import type { VerifiedLogin } from './verify-login.ts';
import { verifyLogin } from './verify-login.ts';

/** All of it can be left out. The client reads no environment: what the CLI's came to stands here. */
export interface RegistryOptions {
  /** Registries that may be asked without TLS or with any certificate: `host`, `host:port`, or a network. */
  insecureRegistries?: readonly string[] | undefined;
  /** Where logins come from; none when left out. */
  credentials?: CredentialSource | undefined;
  /** Registry -> origin of a token server on another host that may see its logins; added to the known ones. */
  tokenServers?: Readonly<Record<string, string>> | undefined;
  /** Certificates to trust (PEM), in place of Node's own; a function is asked when TLS is needed. See ca.ts. */
  ca?: string[] | (() => Promise<string[] | undefined>) | undefined;
  proxy?: ProxySettings | undefined;
  userAgent?: string | undefined;
  maxConnectionsPerHost?: number | undefined;
  timeouts?: Partial<Timeouts> | undefined;
  retryPolicy?: Partial<RetryPolicy> | undefined;
  timing?: Timing | undefined;
  /** In place of the system's name look-up. */
  lookup?: LookupFunction | undefined;
}

export interface RegistryClient {
  /** The repository that a reference names. Asks nothing yet. Throws ERR_REFERENCE. */
  repository(reference: Reference): RemoteRepository;
  /** See verifyLogin. Throws ERR_REFERENCE. */
  verifyLogin(registryName: string, login: PasswordLogin, signal: AbortSignal): Promise<VerifiedLogin>;
  /** Ends all connections; requests under way fail. */
  close(): Promise<void>;
}

const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  headersMs: 30_000,
  rate: { windowMs: 30_000, bytesPerSecond: 1024 },
};
const DEFAULT_CONNECTIONS = 8;

/** A client for any number of registries. Connections, tokens and logins are kept until it is closed. */
export function createRegistryClient(options: RegistryOptions = {}): RegistryClient {
  const settings = settingsFrom(options);
  const channels = new Map<string, RegistryChannel>();
  const channelTo = (registry: string): RegistryChannel => {
    const channel = channels.get(registry) ?? openChannel(registry, settings);
    channels.set(registry, channel);
    return channel;
  };
  return {
    repository: (reference) => createRepository(channelTo(reference.registry), reference),
    verifyLogin: async (registryName, login, signal) =>
      verifyLogin(channelTo(registryName), { registryName, login, tokenServers: settings.tokenServers, signal }),
    async close() {
      await Promise.all([...channels.values()].map(async (channel) => channel.close()));
    },
  };
}

function createRepository(channel: RegistryChannel, { registry, repository }: Reference): RemoteRepository {
  const manifestPurpose = (tagOrDigest: string): Purpose => {
    const which = isDigest(tagOrDigest) ? { digest: tagOrDigest } : { tag: tagOrDigest };
    const reference: Reference = { registry, repository, ...which };
    return { action: `pull "${familiarReference(reference)}"`, reference, kind: 'manifest' };
  };
  return {
    retrying: channel.retrying,
    getManifest: async (tagOrDigest, options = {}) => getManifest(channel, manifestPurpose(tagOrDigest), options),
    async headManifest(tag, { signal } = {}) {
      try {
        return await headManifest(channel, manifestPurpose(tag), signal);
      } catch (error) {
        if (isToolError(error, 'ERR_REGISTRY', 'ERR_AUTH', 'ERR_NETWORK', 'ERR_LIMIT')) return undefined;
        throw error;
      }
    },
    async openBlob(descriptor, offset, signal) {
      const action = `download "${descriptor.digest}"`;
      const purpose: Purpose = { action, reference: { registry, repository }, kind: 'blob' };
      return openBlob(channel, { descriptor, offset, purpose, signal });
    },
  };
}

function settingsFrom(options: RegistryOptions): ChannelSettings {
  const { ca } = options;
  return {
    insecureRegistries: options.insecureRegistries ?? [],
    credentials: options.credentials ?? (async () => undefined),
    tokenServers: { ...PINNED_TOKEN_SERVERS, ...options.tokenServers },
    certificates: Array.isArray(ca) ? async () => ca : ca,
    proxy: options.proxy ?? {},
    userAgent: options.userAgent ?? 'mydocker',
    maxConnectionsPerHost: options.maxConnectionsPerHost ?? DEFAULT_CONNECTIONS,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    retrying: {
      policy: { ...DEFAULT_RETRY_POLICY, ...options.retryPolicy },
      timing: options.timing ?? systemTiming(),
    },
    lookup: options.lookup,
  };
}
