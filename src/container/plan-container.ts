import type { Capability } from '../linux/capabilities.ts';
import { dieWithParentSteps } from '../linux/die-with-parent.ts';
import { callerInside } from '../linux/ownership.ts';
import type { Ownership } from '../linux/ownership.ts';
import type { Program } from '../linux/program.ts';
import { userNamespaceSteps } from '../linux/user-namespace.ts';
import type { AccountFiles } from '../snapshot/account-files.ts';
import type { Mount } from '../snapshot/mount.ts';
import { DEFAULT_PATH, environmentValue } from './environment.ts';
import { hasGroup } from './id-mapping.ts';
import type { Sysctl } from './parse-sysctl.ts';
import type { Ulimit } from './parse-ulimit.ts';
import type { ContainerUser } from './resolve-user.ts';
import { accountEntrySteps } from './steps/account-entries.ts';
import { becomeRootSteps, becomesRoot } from './steps/become-root.ts';
import { contentGuardSteps } from './steps/content-guard.ts';
import { credentialSteps } from './steps/credentials.ts';
import { deviceSteps } from './steps/devices.ts';
import { etcFileSteps } from './steps/etc-files.ts';
import { executeSteps } from './steps/execute.ts';
import { initSteps } from './steps/init.ts';
import { joinGroupSteps } from './steps/join-groups.ts';
import { procSteps, sysSteps } from './steps/kernel-views.ts';
import type { KernelViewOptions } from './steps/kernel-views.ts';
import { limitSteps } from './steps/limits.ts';
import type { MountSteps } from './steps/mount-steps.ts';
import { enterSteps, forkSteps, hostNameSteps } from './steps/namespaces.ts';
import type { NamespaceMode, NetworkMode } from './steps/namespaces.ts';
import { oomScoreSteps } from './steps/oom-score.ts';
import { privateNetworkSteps } from './steps/private-network.ts';
import { changeRootSteps, mountRootSteps, readOnlyRootSteps } from './steps/root-file-system.ts';
import type { RootAttributes } from './steps/root-file-system.ts';
import { stdioSteps } from './steps/stdio.ts';
import { sysctlSteps } from './steps/sysctls.ts';
import { openTerminalSteps, ownTerminalSteps, prepareTerminalSteps } from './steps/terminal.ts';
import type { ContainerTerminal } from './steps/terminal.ts';
import { imageVolumeSteps, userMountSteps } from './steps/volumes.ts';
import type { UserMount } from './steps/volumes.ts';
import { enterWorkingFolderSteps, makeWorkingFolderSteps } from './steps/working-folder.ts';

/** All that a container is set up from. Paths on the host are absolute; paths in the container absolute and normal. */
export interface PlanRequest {
  /** The container's own folder. */
  folder: string;
  /** Number of the lock file's descriptor in the runner. */
  lock: number;
  gcLock: string;
  /** Folders of the layers, bottom first. */
  layers: readonly string[];
  root: { mount: Mount; attributes: RootAttributes };
  readOnlyRoot: boolean;
  ownership: Ownership;
  /** Capabilities of the caller, as a mask; ignored where a user namespace gives all of them. */
  permitted: bigint;
  /** The highest capability that this kernel knows. */
  lastCapability: number;
  user: ContainerUser;
  /** Lines to add to /etc/passwd and /etc/group. */
  accountEntries?: AccountFiles | undefined;
  command: readonly string[];
  environment: readonly string[];
  workingFolder: string;
  hostname: string;
  domainname?: string | undefined;
  network: NetworkMode;
  pid: NamespaceMode;
  ipc: NamespaceMode;
  mounts: readonly UserMount[];
  /** VOLUME of the image. */
  imageVolumes: readonly string[];
  /** Size of /dev/shm in bytes. */
  shmSize: number;
  /** With `-t`. */
  terminal?: ContainerTerminal | undefined;
  /** The command's descriptors that are pipes. */
  pipes: readonly number[];
  /** Those that are /dev/null. */
  nulls: readonly number[];
  thermalCpus: readonly number[];
  /** Program for seccomp(2); undefined: the command may use all system calls. */
  systemCallFilter: Uint8Array | undefined;
  noNewPrivileges: boolean;
  /** Hide and protect what docker does in /proc and /sys. */
  protectSystemPaths: boolean;
  /** /sys is writable, and devices that root's container makes work. */
  privileged: boolean;
  /** What the container may ever have; what the caller does not have is left out. */
  capabilities: readonly Capability[];
  ulimits: readonly Ulimit[];
  sysctls: readonly Sysctl[];
  /** Folders of the control groups that it runs in, absolute. */
  controlGroups: readonly string[];
  /** See oomScoreSteps. */
  oomScoreAdj?: number | undefined;
  /** The first process is one of ours, which reaps orphans. */
  init: boolean;
}

/** Everything the runner needs, as data. */
export interface ContainerPlan {
  program: Program;
}

/** Orders what a container consists of. Pure: looks at nothing but the request. */
export function planContainer(request: PlanRequest): ContainerPlan {
  const { folder, ownership, network, pid, ipc, readOnlyRoot, user, terminal } = request;
  const rootless = ownership.kind !== 'root';
  // An init passes them on itself.
  const signals = terminal !== undefined && !request.init ? ('group' as const) : ('process' as const);
  const namespaces = { network, pid, ipc, signals };
  const parts = mountParts(request);
  const proc = procSteps(kernelViewOptions(request));
  return {
    program: [
      // On the host.
      ...contentGuardSteps(request),
      ...(terminal === undefined ? [] : prepareTerminalSteps(terminal)),
      ...joinGroupSteps(request.controlGroups),
      ...oomScoreSteps(request.oomScoreAdj),
      ...userNamespaceSteps(ownership),
      ...(network === 'private' ? privateNetworkSteps() : []),
      ...forkSteps(namespaces),
      // In the namespaces, with the host's files still in sight.
      ...enterSteps(namespaces),
      ...(terminal === undefined ? [] : openTerminalSteps(terminal)),
      ...hostNameSteps(request.hostname, request.domainname),
      ...parts.flatMap(({ find = [] }) => find),
      ...mountRootSteps({ folder, ...request.root, nosuid: rootless, devices: request.privileged && !rootless }),
      ...becomeRootSteps(ownership),
      ...[...parts, proc].flatMap(({ prepare }) => prepare),
      ...sysctlSteps(request.sysctls),
      ...changeRootSteps(),
      // Inside the container's root.
      ...accountEntrySteps(request.accountEntries),
      ...parts.flatMap(({ attach }) => attach),
      ...imageVolumeSteps(request.imageVolumes, readOnlyRoot),
      ...makeWorkingFolderSteps(request.workingFolder),
      ...proc.attach, // last of all that is mounted: see there
      ...(readOnlyRoot ? readOnlyRootSteps() : []),
      ...enterWorkingFolderSteps(request.workingFolder),
      ...stdioSteps(request),
      ...(terminal === undefined ? [] : ownTerminalSteps(user.uid, callerInside(ownership).uid)),
      // As the user, with the user's rights.
      ...limitSteps(request.ulimits),
      ...credentialSteps({
        user,
        capabilities: request.capabilities,
        permitted: rootless ? ALL_CAPABILITIES : request.permitted,
        lastCapability: request.lastCapability,
        canSetGroups: ownership.kind !== 'single',
        systemCallFilter: request.systemCallFilter,
        noNewPrivileges: request.noNewPrivileges,
      }),
      ...(request.init ? initSteps(request) : []),
      ...dieWithParentSteps(), // again: the kernel has forgotten it with the change of credentials
      ...executeSteps({ ...request, path: environmentValue(request.environment, 'PATH') ?? DEFAULT_PATH }),
    ],
  };
}

const TTY_GROUP = 5; // by convention of every distribution, and docker's
const ALL_CAPABILITIES = (1n << 64n) - 1n;

/** In the order in which they are put in place: a later one may cover, or lie inside, an earlier one. */
function mountParts(request: PlanRequest): MountSteps[] {
  const { ownership, ipc, mounts, folder } = request;
  const rootless = ownership.kind !== 'root';
  const targets = mounts.map(({ target }) => target);
  return [
    deviceSteps({
      shmSize: request.shmSize,
      hasTtyGroup: hasGroup(ownership, TTY_GROUP),
      console: request.terminal?.path,
      ipc,
    }),
    sysSteps(kernelViewOptions(request)),
    etcFileSteps({ folder, volumeTargets: targets, giveToRoot: becomesRoot(ownership) }),
    userMountSteps(mounts, rootless),
  ];
}

function kernelViewOptions({ ownership, network, pid, ...request }: PlanRequest): KernelViewOptions {
  return {
    ownsNetwork: ownership.kind === 'root' || network !== 'host',
    thermalCpus: request.thermalCpus,
    isProtected: request.protectSystemPaths,
    isWritable: request.privileged,
    pid,
  };
}
