import { readFile } from 'node:fs/promises';
import { parseEnvironmentEntry, parseEnvironmentFile } from '../container/parse-environment.ts';
import { parseNetworkName } from '../container/network/network-name.ts';
import type { NamespaceMode } from '../container/steps/namespaces.ts';
import { ToolError } from '../errors.ts';
import type { PullPolicy } from '../image/obtain-image.ts';
import { printable } from '../printable.ts';
import { checkStdin } from './check-stdin.ts';
import type { Context } from './context.ts';
import { wantedDetachKeys } from './detach-keys-flag.ts';
import type { RunRequest } from './engine-api.ts';
import { wantedPlatform } from './network-flags.ts';
import { withOffline } from './offline.ts';
import type { RunFlagValues } from './run-flags.ts';

type RunSettings = Omit<RunRequest, 'command' | 'signal' | 'signals' | 'onProgress' | 'onMissing'>;

/**
 * What the flags of `run` ask for, with what they take from the caller's environment.
 * @throws {ToolError} ERR_USAGE for what they cannot ask for
 */
export async function readRunRequest(flags: RunFlagValues, context: Context): Promise<RunSettings> {
  const { env, home } = context;
  const isInteractive = flags.interactive && flags.tty;
  if (isInteractive) checkStdin(context);
  return {
    home,
    env: withOffline(env, flags.offline),
    entrypoint: flags.entrypoint,
    environment: await readEnvironment(flags, env),
    workdir: flags.workdir,
    user: flags.user,
    name: flags.name,
    hostname: flags.hostname,
    ...readProperties(flags),
    mounts: flags.mount,
    volumes: flags.volume,
    tmpfs: flags.tmpfs,
    readOnly: flags['read-only'],
    remove: flags.rm,
    securityOpt: flags['security-opt'],
    capAdd: flags['cap-add'],
    capDrop: flags['cap-drop'],
    privileged: flags.privileged,
    groupAdd: flags['group-add'],
    devices: flags.device,
    shmSize: flags['shm-size'],
    ulimits: flags.ulimit,
    sysctls: flags.sysctl,
    pid: namespaceMode('PID', flags.pid),
    ipc: namespaceMode('IPC', flags.ipc),
    init: flags.init,
    runtime: flags.runtime,
    memory: flags.memory,
    memorySwap: flags['memory-swap'],
    cpus: flags.cpus,
    cpuShares: flags['cpu-shares'],
    cpusetCpus: flags['cpuset-cpus'],
    pidsLimit: flags['pids-limit'],
    interactive: flags.interactive,
    detachKeys: await wantedDetachKeys(flags['detach-keys'], { env, isInteractive }),
    terminal: flags.tty ? await context.openTerminal({ isInteractive: flags.interactive }) : undefined,
    pull: pullPolicy(flags.pull),
    platform: wantedPlatform(flags.platform, env),
    ...networkSettings(flags, context),
    insecureRegistries: flags['insecure-registry'],
  };
}

type Property = 'userns' | 'stopSignal' | 'stopTimeout' | 'domainname' | 'labels' | 'oomScoreAdj';

/** What is handed on as it is. */
function readProperties(flags: RunFlagValues): Pick<RunSettings, Property> {
  return {
    userns: flags.userns,
    stopSignal: flags['stop-signal'],
    stopTimeout: flags['stop-timeout'],
    domainname: flags.domainname,
    labels: flags.label,
    oomScoreAdj: flags['oom-score-adj'],
  };
}

/** Files first: what is given by `--env` wins. */
async function readEnvironment(flags: RunFlagValues, env: Context['env']): Promise<string[]> {
  const lookUp = (key: string): string | undefined => (Object.hasOwn(env, key) ? env[key] : undefined);
  const files = await Promise.all(
    flags['env-file'].map(async (path) => parseEnvironmentFile(await readEnvironmentFile(path), path, lookUp)),
  );
  return [...files.flat(), ...flags.env.map((entry) => parseEnvironmentEntry(entry, lookUp))];
}

async function readEnvironmentFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const reason = code === 'ENOENT' ? 'no such file or directory' : code;
    throw usageError(`Cannot read environment file "${printable(path)}": ${reason}`, error);
  }
}

function pullPolicy(text: string | undefined): PullPolicy {
  if (text === undefined || text === '') return 'missing';
  if (text === 'always' || text === 'missing' || text === 'never') return text;
  throw usageError(`invalid pull option: '${printable(text)}': must be one of "always", "missing" or "never"`);
}

function networkSettings(flags: RunFlagValues, context: Context): NetworkSettings {
  const network = parseNetworkName(flags.network);
  const publishes = flags.publish.length > 0 || flags['publish-all'];
  if (publishes && network === 'host') {
    context.stderr.write('WARNING: Published ports are discarded when using host network mode\n');
  }
  return {
    network,
    publish: network === 'host' ? [] : flags.publish,
    publishAll: network === 'host' ? false : flags['publish-all'],
    dns: flags.dns,
    dnsSearch: flags['dns-search'],
    dnsOption: flags['dns-option'],
    addHost: flags['add-host'],
  };
}

type NetworkSettings = Pick<
  RunSettings,
  'network' | 'publish' | 'publishAll' | 'dns' | 'dnsSearch' | 'dnsOption' | 'addHost'
>;

/** `shareable` is a private one that others may join, of which there are none. */
function namespaceMode(kind: 'PID' | 'IPC', text: string | undefined): NamespaceMode {
  if (text === undefined || text === '' || text === 'private') return 'private';
  if (text === 'host') return text;
  if (kind === 'IPC' && text === 'shareable') return 'private';
  throw usageError(`--${kind.toLowerCase()}: invalid ${kind} mode`);
}

function usageError(message: string, cause?: unknown): ToolError {
  return new ToolError('ERR_USAGE', message, { cause });
}
