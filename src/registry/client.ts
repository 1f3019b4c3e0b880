import type { LookupFunction } from 'node:net';
import { ToolError, isToolError } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import { familiarReference } from '../oci/reference.ts';
import { hostProblem } from '../oci/registry-host.ts';
import type { CredentialSource, PasswordLogin } from './credentials.ts';
import { askInTurn } from './fail-over.ts';
import { getManifest, headManifest } from './get-manifest.ts';
import { hostsFromFolders } from './hosts-from-folders.ts';
import { openBlob } from './open-blob.ts';
import type { ProxySettings } from './proxy.ts';
import { PINNED_TOKEN_SERVERS } from './realm.ts';
import { reachRegistry } from './reach-registry.ts';
import type { ChannelSettings, Timeouts } from './registry-channel.ts';
import type { RegistryHosts } from './registry-hosts.ts';
import { createRegistryHosts } from './registry-hosts.ts';
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
  /**
   * Folders with mirrors and certificates by registry, laid out as containerd's `/etc/containerd/certs.d`. The first that
   * has a registry says everything about it.
   */
  hostsFolders?: readonly string[] | undefined;
  /** Folders with certificates by host, laid out as docker's `/etc/docker/certs.d`; for hosts without any in the former. */
  certificateFolders?: readonly string[] | undefined;
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
  /** See reachRegistry; the registry itself, not a mirror of it. Throws ERR_REFERENCE. */
  reach(registryName: string, signal?: AbortSignal): Promise<void>;
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
  const source = hostsFromFolders(options.hostsFolders ?? []);
  const registries = new Map<string, RegistryHosts>();
  const hostsOf = (registry: string): RegistryHosts => {
    const problem = hostProblem(registry); // it becomes a URL, and the name of a folder
    if (problem !== undefined) throw new ToolError('ERR_REFERENCE', `Cannot use a registry: ${problem}`);
    const hosts = registries.get(registry) ?? createRegistryHosts(registry, source, settings);
    registries.set(registry, hosts);
    return hosts;
  };
  return {
    repository: (reference) => createRepository(hostsOf(reference.registry), reference),
    verifyLogin: async (registryName, login, signal) => {
      const channel = await hostsOf(registryName).own();
      return verifyLogin(channel, { registryName, login, tokenServers: settings.tokenServers, signal });
    },
    reach: async (registryName, signal) => reachRegistry(await hostsOf(registryName).own(), { registryName, signal }),
    async close() {
      await Promise.all([...registries.values()].map(async (hosts) => hosts.close()));
    },
  };
}

function createRepository(hosts: RegistryHosts, { registry, repository }: Reference): RemoteRepository {
  const manifestPurpose = (tagOrDigest: string): Purpose => {
    const which = isDigest(tagOrDigest) ? { digest: tagOrDigest } : { tag: tagOrDigest };
    const reference: Reference = { registry, repository, ...which };
    return { action: `pull "${familiarReference(reference)}"`, reference, kind: 'manifest' };
  };
  return {
    async getManifest(tagOrDigest, options = {}) {
      const purpose = manifestPurpose(tagOrDigest);
      const capable = await hosts.capableOf(isDigest(tagOrDigest) ? 'pull' : 'resolve', purpose.action);
      return askInTurn(capable, async ({ name, channel }, retrying) =>
        getManifest(channel, { ...purpose, loginName: name }, { ...options, retrying }),
      );
    },
    async headManifest(tag, { signal } = {}) {
      const purpose = manifestPurpose(tag);
      const capable = await hosts.capableOf('resolve', purpose.action);
      try {
        return await askInTurn(capable, async ({ channel }) => headManifest(channel, purpose, signal));
      } catch (error) {
        if (isToolError(error, 'ERR_REGISTRY', 'ERR_AUTH', 'ERR_NETWORK', 'ERR_LIMIT')) return undefined;
        throw error;
      }
    },
    blobHosts: async () => hosts.capableOf('pull', `pull from "${registry}/${repository}"`),
    async openBlob({ name, channel }, { descriptor, offset, signal }) {
      const reference: Reference = { registry, repository };
      const purpose: Purpose = { action: `download "${descriptor.digest}"`, reference, kind: 'blob', loginName: name };
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
    certificateFolders: options.certificateFolders ?? [],
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
