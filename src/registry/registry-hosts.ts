import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { HostCapability, HostEntry, HostSource } from './host-entry.ts';
import { OWN_HOST } from './host-entry.ts';
import type { ChannelSettings, RegistryChannel } from './registry-channel.ts';
import { openChannel } from './registry-channel.ts';

/** One of the hosts that a registry's content can be asked from. */
export interface RegistryHost {
  /** What it is called in errors, and what `login` has to be given: `docker.io`, `mirror.example:5000`. */
  readonly name: string;
  readonly capabilities: HostEntry['capabilities'];
  readonly channel: RegistryChannel;
  /** Why it could not be reached, once it could not. */
  outage?: ToolError | undefined;
}

/** The hosts of one registry. What is configured for it is read when it is first asked for. */
export interface RegistryHosts {
  /**
   * Those that may be asked for something, in their order; `action` (`pull "alpine:latest"`) is for the error if there
   * is none. Throws ERR_HOST, also for a configuration that cannot be used.
   */
  capableOf(capability: HostCapability, action: string): Promise<RegistryHost[]>;
  /** The registry itself: with what is configured for it, if it is among its hosts. Throws as above. */
  own(): Promise<RegistryChannel>;
  /** Ends what is under way at all of them. */
  close(): Promise<void>;
}

export function createRegistryHosts(
  registryName: string,
  source: HostSource,
  settings: ChannelSettings,
): RegistryHosts {
  let opened: Promise<{ hosts: RegistryHost[]; source: string }> | undefined;
  let direct: RegistryChannel | undefined;
  const openOnce = async (): Promise<{ hosts: RegistryHost[]; source: string }> => {
    opened ??= open(registryName, source, settings);
    opened.catch(() => (opened = undefined)); // a file that cannot be used may be mended by the next time
    return opened;
  };
  return {
    async own() {
      const { hosts } = await openOnce();
      const found = hosts.find(({ name }) => name === registryName)?.channel;
      if (found !== undefined) return found;
      direct ??= openChannel(registryName, settings);
      return direct;
    },
    async capableOf(capability, action) {
      const { hosts, source: from } = await openOnce();
      const capable = hosts.filter(({ capabilities }) => capabilities.has(capability));
      if (capable.length > 0) return capable;
      throw new ToolError(
        'ERR_HOST',
        `Cannot ${action}: "${printable(from)}" names no host with the capability "${capability}"`,
      );
    },
    async close() {
      const { hosts } = (await opened?.catch(() => undefined)) ?? { hosts: [] };
      const channels = hosts.map(({ channel }) => channel);
      await Promise.all([...channels, ...(direct === undefined ? [] : [direct])].map(async (one) => one.close()));
    },
  };
}

async function open(
  registryName: string,
  source: HostSource,
  settings: ChannelSettings,
): Promise<{ hosts: RegistryHost[]; source: string }> {
  const list = (await source(registryName)) ?? { source: '', hosts: [OWN_HOST] };
  const hosts = list.hosts.map((entry) => {
    const channel = openChannel(registryName, settings, entry);
    return { name: channel.name, capabilities: entry.capabilities, channel };
  });
  return { hosts, source: list.source };
}
