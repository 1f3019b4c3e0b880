import type { IOType } from 'node:child_process';
import type { PullPolicy } from '../image/obtain-image.ts';
import type { PullOptions } from '../image/pull.ts';
import type { TerminalStreams } from './connect-terminal.ts';
import type { SignalSource } from './forward-signals.ts';
import type { LimitTexts } from './limits/parse-resource-limits.ts';
import type { NetworkName } from './network/network-name.ts';
import type { RunRequest, StartedContainer } from './run-container.ts';
import type { NamespaceMode } from './steps/namespaces.ts';

export interface RunOptions extends PullOptions, LimitTexts {
  entrypoint?: string | undefined;
  /** `KEY=value`; `KEY` alone removes one of the image's variables. */
  env?: readonly string[] | undefined;
  workdir?: string | undefined;
  /** `name|uid[:group|gid]` */
  user?: string | undefined;
  /** Groups besides those of the user: names of the image's, or ids. */
  groupAdd?: readonly string[] | undefined;
  /** `host`; or `keep-id[:uid=N,gid=N]`, where the caller is not root of the container but itself. */
  userns?: string | undefined;
  /** The signal that asks it to end, in place of the image's: `SIGINT`, `int`, `2`. */
  stopSignal?: string | undefined;
  /** Seconds from then on until it is killed, 10 unless given; -1 for never. */
  stopTimeout?: number | undefined;
  name?: string | undefined;
  hostname?: string | undefined;
  domainname?: string | undefined;
  /** `key=value` */
  labels?: readonly string[] | undefined;
  /** `type=bind|tmpfs,source=…,target=…[,readonly]` */
  mounts?: readonly string[] | undefined;
  /** What the kernel adds to its score when it looks for a process to end, from -1000 to 1000. */
  oomScoreAdj?: number | undefined;
  /** `host:container[:ro]` */
  volumes?: readonly string[] | undefined;
  /** `path[:options]` */
  tmpfs?: readonly string[] | undefined;
  /** `host[:container][:rwm]` */
  devices?: readonly string[] | undefined;
  /** Of /dev/shm: bytes, or `64m`. */
  shmSize?: number | string | undefined;
  readOnly?: boolean | undefined;
  capAdd?: readonly string[] | undefined;
  capDrop?: readonly string[] | undefined;
  /** All capabilities and devices, nothing masked, no filter of system calls. */
  privileged?: boolean | undefined;
  /** As docker's `--security-opt`: `no-new-privileges`, `seccomp=<file>|unconfined`, `systempaths=unconfined`. */
  securityOpt?: readonly string[] | undefined;
  /** Delete the container when it ends. */
  rm?: boolean | undefined;
  /** `missing` unless given. */
  pull?: PullPolicy | undefined;
  /** `host` unless given; `private` where ports are published. */
  network?: NetworkName | undefined;
  /** `[[address:][host]:]container[/udp]`, ports or ranges of ports. */
  publish?: readonly string[] | undefined;
  /** Publish every port that the image exposes, at any that are free. */
  publishAll?: boolean | undefined;
  /** Name servers, search domains (`.`: none) and options in place of the host's. */
  dns?: readonly string[] | undefined;
  dnsSearch?: readonly string[] | undefined;
  dnsOption?: readonly string[] | undefined;
  /** `name:address`, or `name:host-gateway` for the host. */
  addHost?: readonly string[] | undefined;
  /** `host`: see the host's processes, or its shared memory. */
  pid?: NamespaceMode | undefined;
  ipc?: NamespaceMode | undefined;
  /** `name=soft[:hard]` */
  ulimits?: readonly string[] | undefined;
  /** `name=value` */
  sysctls?: readonly string[] | undefined;
  /** Run an init that passes signals on and reaps orphans. */
  init?: boolean | undefined;
  /** `runc`, `crun` or the path of another OCI runtime, which then runs the container; `mydocker`, the engine's own, unless given. */
  runtime?: string | undefined;
  /** Where `runc` and `crun` are looked for, as in PATH; where systems have programs unless given. */
  searchPath?: string | undefined;
  /** Give the command a terminal of its own in place of `stdio`, connected to these streams. */
  terminal?: TerminalStreams | undefined;
  /** As for child_process.spawn; an empty stdin and this process's stdout and stderr unless given. */
  stdio?: readonly [IOType | number, IOType | number, IOType | number] | undefined;
  /** Signals to pass on to the command. */
  signals?: SignalSource | undefined;
  /** The image is not in the store, and is pulled next. */
  onMissing?: (() => void) | undefined;
  /** Called before the command runs, with the process whose streams `stdio` asked for: attach to them here. */
  onLaunched?: RunRequest['onLaunched'];
  onStarted?: ((container: StartedContainer) => void) | undefined;
}
