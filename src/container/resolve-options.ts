import { ToolError } from '../errors.ts';
import type { HostFacts } from '../linux/host-facts.ts';
import { obstacleText } from '../linux/obstacles.ts';
import type { KeptIds } from '../linux/keep-ids.ts';
import { callerInside } from '../linux/ownership.ts';
import type { Ownership } from '../linux/ownership.ts';
import type { ContainerConfig } from '../oci/image-config.ts';
import { printable } from '../printable.ts';
import type { AccountFiles } from '../snapshot/account-files.ts';
import { containerCommand } from './container-command.ts';
import { imageVolumes, workingFolder } from './container-folders.ts';
import type { ContainerOptions } from './container-options.ts';
import { defaultCapabilities } from './default-capabilities.ts';
import { containerEnvironment } from './environment.ts';
import { hasGroup, hasUser } from './id-mapping.ts';
import { networkMode } from './network/network-name.ts';
import { networkSysctls } from './network/network-sysctls.ts';
import { DEFAULT_SECURITY } from './parse-security.ts';
import type { Sysctl } from './parse-sysctl.ts';
import type { PlanRequest } from './plan-container.ts';
import { resolveDevices } from './resolve-devices.ts';
import { resolveIdentity } from './resolve-identity.ts';
import type { ContainerUser } from './resolve-user.ts';
import { resolveVolume } from './resolve-volume.ts';

/** The part of a plan that image and options decide. */
export type ResolvedOptions = Pick<
  PlanRequest,
  | 'command'
  | 'environment'
  | 'workingFolder'
  | 'user'
  | 'accountEntries'
  | 'hostname'
  | 'domainname'
  | 'oomScoreAdj'
  | 'network'
  | 'mounts'
  | 'imageVolumes'
  | 'readOnlyRoot'
  | 'shmSize'
  | Rights
>;

type Rights =
  | 'noNewPrivileges'
  | 'protectSystemPaths'
  | 'privileged'
  | 'capabilities'
  | 'init'
  | 'ulimits'
  | 'sysctls'
  | 'pid'
  | 'ipc';

export interface OptionSources {
  id: string;
  image: ContainerConfig;
  accounts: AccountFiles;
  options: ContainerOptions;
  host: Pick<HostFacts, 'uid' | 'gid' | 'ownership' | 'mappingObstacle'>;
  /** With `--userns keep-id`. */
  kept?: KeptIds | undefined;
}

/**
 * Puts together what the image wants and what the user says. Makes the host folders that volumes name where they are missing,
 * after everything else has been found to be right.
 * @throws {ToolError} ERR_USAGE, ERR_CONTAINER, ERR_LIMIT or ERR_HOST
 */
export function resolveOptions(sources: OptionSources): ResolvedOptions {
  const { id, image, options } = sources;
  const { hostname = id.slice(0, 12), readOnlyRoot = false, volumes = [], tmpfs = [] } = options;
  const network = networkMode(options.network);
  for (const name of [hostname, options.domainname]) if (name !== undefined) checkHostname(name);
  const command = containerCommand({ image, entrypoint: options.entrypoint, args: options.args });
  const devices = resolveDevices(options);
  const targets = [...volumes.filter(hasSource), ...tmpfs].map(({ target }) => target);
  checkDistinct(targets);
  const folder = workingFolder(image.workingDir, options.workingFolder);
  const { user, home, accountEntries } = resolveIdentity({ ...sources, workingFolder: folder, targets });
  checkUserExists(user, sources);
  const environment = containerEnvironment({
    hostname,
    terminal: options.terminal === undefined ? undefined : 'xterm',
    image: image.env,
    overrides: options.environment ?? [],
    home,
  });
  checkSize(command, environment);
  const anonymous = volumes.filter((volume) => !hasSource(volume)).map(({ target }) => target);
  return {
    command,
    environment,
    workingFolder: folder,
    user,
    accountEntries,
    hostname,
    domainname: options.domainname,
    oomScoreAdj: options.oomScoreAdj,
    network,
    ...resolveRights(options, network, sources.kept?.ownership ?? sources.host.ownership),
    imageVolumes: imageVolumes([...image.volumes, ...anonymous], targets),
    readOnlyRoot,
    shmSize: options.shmSize ?? SHM_SIZE,
    mounts: [...devices, ...volumes.filter(hasSource).map(resolveVolume), ...tmpfs],
  };
}

/** What the container may do beyond its own files. */
function resolveRights(
  options: ContainerOptions,
  network: PlanRequest['network'],
  ownership: Ownership,
): Pick<PlanRequest, Rights> {
  const { security = DEFAULT_SECURITY, sysctls = [], ulimits = [], pid = 'private', ipc = 'private' } = options;
  for (const sysctl of sysctls) checkNamespace(sysctl, { network, ipc });
  return {
    noNewPrivileges: security.noNewPrivileges,
    protectSystemPaths: security.systemPaths === 'protected',
    privileged: options.privileged ?? false,
    capabilities: options.capabilities ?? defaultCapabilities(network),
    init: options.init ?? false,
    ulimits,
    sysctls: [...networkSysctls(network, ownership), ...sysctls],
    pid,
    ipc,
  };
}

/** A setting of a namespace that the container shares would be the host's. */
function checkNamespace({ path, namespace }: Sysctl, modes: Pick<PlanRequest, 'network' | 'ipc'>): void {
  const isShared =
    (namespace === 'network' && modes.network === 'host') || (namespace === 'ipc' && modes.ipc === 'host');
  if (!isShared) return;
  throw new ToolError(
    'ERR_USAGE',
    `sysctl '${path.replaceAll('/', '.')}' is not allowed: the container shares the host's ${namespace}`,
  );
}

const SHM_SIZE = 64 * 1024 * 1024; // bytes, docker's default

function hasSource<T extends { source?: string | undefined }>(volume: T): volume is T & { source: string } {
  return volume.source !== undefined;
}

const MAX_HOSTNAME = 64; // bytes, HOST_NAME_MAX

function checkHostname(hostname: string): void {
  if (/^[\w.-]+$/.test(hostname) && hostname.length <= MAX_HOSTNAME) return;
  throw new ToolError(
    'ERR_USAGE',
    `Cannot use host name "${printable(hostname)}": invalid hostname, and up to ${MAX_HOSTNAME} letters, digits, dots and dashes were wanted`,
  );
}

/** Without this the kernel would say "invalid argument". */
function checkUserExists(
  { uid, gid, groups }: ContainerUser,
  { host, kept }: Pick<OptionSources, 'host' | 'kept'>,
): void {
  const ownership = kept?.ownership ?? host.ownership;
  const missing = !hasUser(ownership, uid)
    ? `user ${uid}`
    : // With one id nobody can be in groups, and nothing is lost: they all would be the caller's.
      [gid, ...(ownership.kind === 'single' ? [] : groups)]
        .filter((group) => !hasGroup(ownership, group))
        .map((group) => `group ${group}`)[0];
  if (missing === undefined) return;
  const { mappingObstacle } = host;
  const hint =
    ownership.kind === 'single'
      ? `${mappingObstacle === undefined ? '' : `${obstacleText(mappingObstacle)}; or `}run it as ${onlyUser(ownership)}`
      : 'The ranges in /etc/subuid and /etc/subgid of the calling user decide which ids there are.';
  throw new ToolError('ERR_HOST', `Cannot run as ${missing}: it does not exist in the container's user namespace`, {
    hint,
  });
}

function onlyUser(ownership: Ownership): string {
  const { uid } = callerInside(ownership);
  return `${uid === 0 ? 'root of the container' : 'the one user that there is'}, which is you: --user ${uid}`;
}

const MAX_TEXT = 131_072; // bytes with the NUL: MAX_ARG_STRLEN of the kernel
const MAX_TEXTS = 2 * 1024 * 1024; // bytes: a quarter of the usual stack limit, which is what the kernel allows

/** The kernel would refuse it too, but only after all of it has been copied several times. */
function checkSize(command: readonly string[], environment: readonly string[]): void {
  let sum = 0;
  for (const text of [...command, ...environment]) {
    const length = Buffer.byteLength(text) + 1;
    sum += length + 8; // and its pointer
    if (length > MAX_TEXT || sum > MAX_TEXTS) {
      throw new ToolError(
        'ERR_COMMAND_NOT_EXECUTABLE',
        `Cannot execute "${printable(command[0] ?? '')}": argument list too long`,
      );
    }
  }
}

function checkDistinct(targets: readonly string[]): void {
  const twice = targets.find((target, index) => targets.indexOf(target) !== index);
  if (twice !== undefined) throw new ToolError('ERR_USAGE', `Duplicate mount point: ${printable(twice)}`);
}
