import type { Capability } from '../linux/capabilities.ts';
import type { TerminalStreams } from './connect-terminal.ts';
import type { ResourceLimits } from './limits/resource-limits.ts';
import type { Runtime } from './oci-bundle/find-runtime.ts';
import type { NetworkName } from './network/network-name.ts';
import type { DnsOptions } from './network/parse-dns.ts';
import type { HostName } from './network/parse-host-name.ts';
import type { PortRequest } from './network/published-port.ts';
import type { DeviceRequest } from './parse-device.ts';
import type { SecurityOptions } from './parse-security.ts';
import type { Sysctl } from './parse-sysctl.ts';
import type { Ulimit } from './parse-ulimit.ts';
import type { UserNamespaceMode } from './parse-user-namespace.ts';
import type { VolumeRequest } from './parse-volume.ts';
import type { NamespaceMode } from './steps/namespaces.ts';
import type { UserMount } from './steps/volumes.ts';

/** What a user may say about a container, flags already read. All but `args` may be left out. */
export interface ContainerOptions {
  /** What stood after the image's name. */
  args: readonly string[];
  entrypoint?: string | undefined;
  /** Entries for `containerEnvironment`: `KEY=value`, or `KEY` to remove one of the image's. */
  environment?: readonly string[] | undefined;
  workingFolder?: string | undefined;
  user?: string | undefined;
  /** Checked with `checkName`. */
  name?: string | undefined;
  userns?: UserNamespaceMode | undefined;
  /** Number of the signal that asks it to end; the image's or SIGTERM unless given. */
  stopSignal?: number | undefined;
  /** Seconds from then on until it is killed; -1 for never. */
  stopTimeout?: number | undefined;
  hostname?: string | undefined;
  domainname?: string | undefined;
  /** Besides the image's. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** What the kernel adds to its score when it looks for a process to end, from -1000 to 1000. */
  oomScoreAdj?: number | undefined;
  network?: NetworkName | undefined;
  /** Only with a private network, as `publishAll`. */
  publish?: readonly PortRequest[] | undefined;
  /** Publish what the image exposes. */
  publishAll?: boolean | undefined;
  dns?: DnsOptions | undefined;
  /** Lines for /etc/hosts. */
  hostNames?: readonly HostName[] | undefined;
  volumes?: readonly VolumeRequest[] | undefined;
  tmpfs?: readonly (UserMount & { kind: 'tmpfs' })[] | undefined;
  readOnlyRoot?: boolean | undefined;
  /** Delete it when it ends. */
  autoRemove?: boolean | undefined;
  /** Gives the command a terminal of its own, connected to these. */
  terminal?: TerminalStreams | undefined;
  /** Docker's defaults unless given. */
  security?: SecurityOptions | undefined;
  /** What the container may ever have; defaultCapabilities unless given. */
  capabilities?: readonly Capability[] | undefined;
  /** Every device of the host, a writable /sys, and what belongs to it by default: nothing masked, no filter of system calls. */
  privileged?: boolean | undefined;
  /** Groups besides those of the user: names of the image's, or ids. */
  groups?: readonly string[] | undefined;
  ulimits?: readonly Ulimit[] | undefined;
  sysctls?: readonly Sysctl[] | undefined;
  /** Of /dev/shm, in bytes. */
  shmSize?: number | undefined;
  pid?: NamespaceMode | undefined;
  ipc?: NamespaceMode | undefined;
  /** Run an init as the container's first process. */
  init?: boolean | undefined;
  devices?: readonly DeviceRequest[] | undefined;
  limits?: ResourceLimits | undefined;
  /** Runs the container in place of the engine's own runner. */
  runtime?: Runtime | undefined;
}
