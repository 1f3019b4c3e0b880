import type { TerminalStreams } from '../container/connect-terminal.ts';
import type { DiskUsage } from '../container/disk-usage.ts';
import type { HostReport } from '../container/doctor/examine-host.ts';
import type { SignalSource } from '../container/forward-signals.ts';
import type { LimitTexts } from '../container/limits/parse-resource-limits.ts';
import type { ContainerSummary } from '../container/list-containers.ts';
import type { ContainerCriteria, PrunedContainers } from '../container/prune-containers.ts';
import type { PruneReport } from '../container/prune-images.ts';
import type { RunResult, StartedContainer } from '../container/run-container.ts';
import type { SessionEnd } from '../container/session/follow-session.ts';
import type { NetworkName } from '../container/network/network-name.ts';
import type { NamespaceMode } from '../container/steps/namespaces.ts';
import type { PruneCriteria } from '../image/choose-unused.ts';
import type { ImageSummary } from '../image/list-images.ts';
import type { PullPolicy } from '../image/obtain-image.ts';
import type { PulledImage, PullEvent } from '../image/pull-event.ts';
import type { RemovedDownload } from '../image/partial-downloads.ts';
import type { RemovalEvent } from '../image/remove-image.ts';
import type { PasswordLogin } from '../registry/credentials.ts';
import type { LoginResult } from '../registry/login.ts';
import type { LogoutResult } from '../registry/logout.ts';
import type { PartialDownload } from '../store/partial-downloads.ts';
import type { Finding } from '../image/verify/finding.ts';
import type { VerifyReport } from '../image/verify/verify-store.ts';

/**
 * What the commands need of the engine. `engine.ts` connects it to the modules that do it, each loaded when it is first called;
 * tests of commands hand in their own.
 */
export interface EngineApi {
  pull: (reference: string, request: PullRequest) => Promise<PulledImage>;
  /** All entries of the store. */
  images: (request: StoreRequest) => Promise<ImageSummary[]>;
  imageLabels: (image: ImageSummary, request: StoreRequest) => Promise<Readonly<Record<string, string>>>;
  removeImage: (nameOrId: string, request: RemoveRequest) => Promise<RemovalEvent[]>;
  /** Gives an image another name. */
  tag: (source: string, target: string, request: ChangeRequest) => Promise<unknown>;
  protect: (nameOrId: string, request: ChangeRequest) => Promise<void>;
  unprotect: (nameOrId: string, request: ChangeRequest) => Promise<void>;
  /** The last to change first. */
  partialDownloads: (request: StoreRequest) => Promise<PartialDownload[]>;
  /** Of an image, or the one with that digest. */
  removePartialDownload: (imageOrDigest: string, request: StoreRequest) => Promise<RemovedDownload[]>;
  /** With a terminal at which somebody types, that person may detach from the container. */
  run: (image: string, request: RunRequest) => Promise<RunResult | 'detached'>;
  attach: (nameOrId: string, request: AttachRequest) => Promise<SessionEnd>;
  /** All containers, newest first. */
  containers: (request: StoreRequest) => Promise<ContainerSummary[]>;
  stopContainer: (nameOrId: string, request: StopRequest) => Promise<unknown>;
  killContainer: (nameOrId: string, request: KillRequest) => Promise<unknown>;
  removeContainer: (nameOrId: string, request: RemoveRequest) => Promise<unknown>;
  /** To Docker Hub where no server is named. */
  login: (server: string | undefined, request: LoginRequest) => Promise<LoginResult>;
  /** The name and password that an earlier login left. */
  storedLogin: (server: string | undefined, request: LoginsRequest) => Promise<PasswordLogin | undefined>;
  logout: (server: string | undefined, request: LoginsRequest) => Promise<LogoutResult>;
  pruneImages: (request: PruneImagesRequest) => Promise<PruneReport>;
  pruneContainers: (request: PruneContainersRequest) => Promise<PrunedContainers>;
  diskUsage: (request: DiskUsageRequest) => Promise<DiskUsage>;
  verify: (request: VerifyRequest) => Promise<VerifyReport>;
  examineHost: (request: ExamineHostRequest) => Promise<HostReport>;
}

export interface StoreRequest {
  /** The store's folder; `~/.mydocker` unless given. */
  home: string | undefined;
}

export interface ChangeRequest extends StoreRequest {
  signal?: AbortSignal | undefined;
}

export interface RemoveRequest extends ChangeRequest {
  force: boolean;
}

export interface KillRequest extends ChangeRequest {
  /** In docker's words. */
  signalName: string | undefined;
}

export interface StopRequest extends KillRequest {
  /** In seconds; -1: wait for as long as it takes. */
  timeout: number | undefined;
}

export interface PruneImagesRequest extends StoreRequest {
  criteria: PruneCriteria;
  /** Only tell what would be removed. */
  dryRun: boolean;
  signal: AbortSignal;
}

export interface PruneContainersRequest extends StoreRequest {
  criteria: ContainerCriteria;
  signal: AbortSignal;
}

export interface DiskUsageRequest extends StoreRequest {
  signal: AbortSignal;
}

/**
 * What a pull needs to know of its surroundings; what the environment says is read by the engine's side of the adapter. Offline
 * mode is its MYDOCKER_OFFLINE: a flag changes the variable, with `withOffline`.
 */
export interface NetworkRequest {
  env: Readonly<Record<string, string | undefined>>;
  /** Hosts that may be talked to over plain HTTP, or with certificates that nobody vouches for. */
  insecureRegistries: readonly string[];
}

export interface LoginsRequest {
  env: NetworkRequest['env'];
  signal: AbortSignal;
}

export interface LoginRequest extends LoginsRequest, NetworkRequest {
  username: string;
  password: string;
}

export interface PullRequest extends StoreRequest, NetworkRequest {
  /** `os/arch[/variant]` */
  platform: string | undefined;
  maxConcurrentDownloads: number | undefined;
  signal: AbortSignal;
  onProgress: (event: PullEvent) => void;
}

export interface ExamineHostRequest extends StoreRequest, Pick<NetworkRequest, 'env'> {
  /** Ask a registry as well; nothing else uses the network. */
  network: boolean;
  signal: AbortSignal;
}

export interface VerifyRequest extends StoreRequest, NetworkRequest {
  /** Name or ID of the only image to look at. */
  image: string | undefined;
  deep: boolean;
  repair: boolean;
  signal: AbortSignal;
  onFinding: (finding: Finding) => void;
}

export interface AttachRequest extends StoreRequest {
  terminal: TerminalStreams;
  detachKeys: Uint8Array;
  signal: AbortSignal;
}

export interface RunRequest extends StoreRequest, NetworkRequest, LimitTexts {
  /** What follows the image's name. */
  command: readonly string[];
  entrypoint: string | undefined;
  /** `KEY=value`; `KEY` alone removes a variable that the image sets. */
  environment: readonly string[];
  workdir: string | undefined;
  user: string | undefined;
  /** `host`, `keep-id[:uid=N,gid=N]` */
  userns: string | undefined;
  stopSignal: string | undefined;
  /** In seconds; -1 for no limit. */
  stopTimeout: number | undefined;
  name: string | undefined;
  hostname: string | undefined;
  domainname: string | undefined;
  /** `key=value` */
  labels: readonly string[];
  /** `type=bind,source=…,target=…` */
  mounts: readonly string[];
  oomScoreAdj: number | undefined;
  /** `host:container[:ro]` */
  volumes: readonly string[];
  tmpfs: readonly string[];
  readOnly: boolean;
  securityOpt: readonly string[];
  capAdd: readonly string[];
  capDrop: readonly string[];
  privileged: boolean;
  /** Names of groups of the image, or ids. */
  groupAdd: readonly string[];
  /** `host[:container][:rwm]` */
  devices: readonly string[];
  /** Of /dev/shm, in docker's units. */
  shmSize: string | undefined;
  /** `name=soft[:hard]` */
  ulimits: readonly string[];
  /** `name=value` */
  sysctls: readonly string[];
  pid: NamespaceMode;
  ipc: NamespaceMode;
  init: boolean;
  /** `runc`, `crun` or a path; the engine's own unless given. */
  runtime: string | undefined;
  /** Delete the container when it has ended. */
  remove: boolean;
  /** Connect stdin; it is empty otherwise. */
  interactive: boolean;
  /** What the command's terminal is connected to; undefined without `-t`. */
  terminal: TerminalStreams | undefined;
  detachKeys: Uint8Array;
  pull: PullPolicy;
  platform: string | undefined;
  /** Undefined: the host's, unless ports are published. */
  network: NetworkName | undefined;
  /** `[[address:][host]:]container[/udp]` */
  publish: readonly string[];
  publishAll: boolean;
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOption: readonly string[];
  /** `name:address` */
  addHost: readonly string[];
  /** Stops what happens before the command runs. */
  signal: AbortSignal;
  /** Signals for the command, from when it has been launched. */
  signals: SignalSource;
  onStarted?: ((container: StartedContainer) => void) | undefined;
  onProgress: (event: PullEvent) => void;
  /** The image is not in the store and will be pulled. */
  onMissing: () => void;
}
