import { randomBytes } from 'node:crypto';
import type { ChildProcess, IOType } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { throwIfAborted } from '../fs/abort.ts';
import { diskError, withDiskErrors } from '../fs/disk-error.ts';
import type { HostFacts } from '../linux/host-facts.ts';
import { machineOf } from '../linux/machine.ts';
import type { KeptIds } from '../linux/keep-ids.ts';
import type { Ownership } from '../linux/ownership.ts';
import { openPseudoTerminal } from '../linux/pseudo-terminal.ts';
import type { PseudoTerminal } from '../linux/pseudo-terminal.ts';
import { startRunner } from '../linux/runner.ts';
import type { RunningProgram } from '../linux/runner.ts';
import { processStartTime } from '../linux/process-start-time.ts';
import { StepError } from '../linux/step-error.ts';
import type { RunnableImage } from '../image/runnable-image.ts';
import { readAccountFiles } from '../snapshot/account-files.ts';
import { printable } from '../printable.ts';
import type { Mount, SnapshotDriver } from '../snapshot/mount.ts';
import { reserveName } from './container-name.ts';
import type { ContainerOptions } from './container-options.ts';
import type { ContainerPaths } from './container-paths.ts';
import { createContainerFolder, writeRecord, writeState } from './container-record.ts';
import { defaultCapabilities } from './default-capabilities.ts';
import { deleteContainer } from './delete-container.ts';
import { endStragglers } from './end-stragglers.ts';
import { writeEtcFiles } from './etc-files.ts';
import { explainFailure } from './explain-failure.ts';
import { forwardSignals } from './forward-signals.ts';
import type { SignalSource } from './forward-signals.ts';
import { checkDescriptors, lastCapability, nullsAmong, pipesAmong, rootAttributes, thermalCpus } from './host-view.ts';
import { createGroup, removeGroups } from './limits/create-group.ts';
import type { ContainerGroup } from './limits/create-group.ts';
import { loadSeccompFilter } from './load-seccomp-filter.ts';
import { isNoexecCopy } from './noexec-copy.ts';
import type { OpenRuntime } from './oci-bundle/open-runtime.ts';
import { newRecord } from './new-record.ts';
import { networkMode } from './network/network-name.ts';
import type { NetworkService } from './network/network-service.ts';
import { prepareNetwork } from './network/prepare-network.ts';
import type { PreparedNetwork } from './network/prepared-network.ts';
import { DEFAULT_SECURITY } from './parse-security.ts';
import { planContainer } from './plan-container.ts';
import type { PlanRequest } from './plan-container.ts';
import { reapContainer } from './reap-containers.ts';
import { redirectFiles } from './redirect-files.ts';
import { withTerminal } from './with-terminal.ts';
import { resolveOptions } from './resolve-options.ts';
import type { ResolvedOptions } from './resolve-options.ts';

export interface RunRequest {
  paths: ContainerPaths;
  host: HostFacts;
  image: RunnableImage;
  driver: SnapshotDriver;
  /** For `--userns keep-id`; the driver has to give files the owners that it says. */
  kept?: KeptIds | undefined;
  options: ContainerOptions;
  /** The command's descriptors 0, 1 and 2, as for child_process.spawn. */
  stdio: readonly [IOType | number, IOType | number, IOType | number];
  /**
   * Called at once when there is a process, before anything runs in it: the moment to attach to the streams that `stdio` asked
   * for, as what nobody reads is thrown away when the command ends.
   */
  onLaunched?: ((child: ChildProcess) => void) | undefined;
  /** Called when the command runs. */
  onStarted?: ((container: StartedContainer) => void) | undefined;
  /** Signals that are passed on to the command. */
  signals?: SignalSource | undefined;
  /** Aborting kills the container. */
  signal?: AbortSignal | undefined;
}

export interface StartedContainer {
  id: string;
  name: string;
}

export interface RunResult {
  containerId: string;
  /** The command's exit status, or 128 + the signal that ended it. */
  exitCode: number;
  /** The kernel has ended a process of it that wanted more memory than its limit. */
  isOutOfMemory: boolean;
  /** Why the container could not be deleted, or its exit code not be recorded: worth a warning. */
  cleanupError?: unknown;
}

/**
 * Runs a command in a new container from beginning to end: record, fresh copy, set-up, signals, exit code, clean-up.
 * The container dies with this process, however that ends. Resolves when all of the command's output has been handed out.
 * @throws {ToolError} ERR_COMMAND_NOT_FOUND, ERR_COMMAND_NOT_EXECUTABLE, ERR_CONTAINER, ERR_HOST, ERR_USAGE, ERR_CONFLICT for a
 * name that is taken, ERR_NO_SPACE, ERR_ABORTED; nothing is left of the container then
 */
export async function runContainer(request: RunRequest): Promise<RunResult> {
  const { paths, image, options, host, kept } = request;
  const { ownership } = host;
  const id = randomBytes(32).toString('hex');
  throwIfAborted(request.signal, task(request));
  if (options.terminal === undefined) checkDescriptors(request.stdio);
  const accounts = readAccountFiles(image.layerFolders);
  const { security = DEFAULT_SECURITY, capabilities = defaultCapabilities(networkMode(options.network)) } = options;
  const { kernelRelease } = host;
  const machine = machineOf(process.arch);
  const runtime = await openRuntime(request);
  const { seccomp } = runtime === undefined ? security : { seccomp: 'unconfined' as const }; // it makes its own
  const systemCallFilter = await loadSeccompFilter({ machine, seccomp, capabilities, kernelRelease });
  const exposed = image.config.config.exposedPorts;
  const prepared = await prepareNetwork({ ...request, exposed, runnerFolder: paths.runner });
  const resolved = resolveOptions({ id, image: image.config.config, accounts, options, host, kept });
  const { folder, lock } = await withDiskErrors('create', paths.containers, async () =>
    createContainerFolder(paths.containers, id),
  );
  const container: Container = {
    id,
    folder,
    lock,
    name: undefined,
    group: undefined,
    terminal: undefined,
    network: undefined,
    runtime,
  };
  try {
    container.group = await (runtime?.createGroup(id) ?? createGroup(id, options.limits ?? {}));
    const exitCode = await runToTheEnd(request, container, { ...resolved, systemCallFilter, prepared });
    const isOutOfMemory = (container.group?.oomKills() ?? 0) > 0;
    return { containerId: id, exitCode, isOutOfMemory, cleanupError: await cleanUp(request, container, exitCode) };
  } catch (error) {
    // One that cannot be deleted either is found by the next one who looks; the first error is the one that tells.
    await deleteContainer({ paths, ...container, ownership }).catch(() => undefined);
    throwIfAborted(request.signal, task(request)); // whatever it was that noticed it first
    throw error;
  } finally {
    await release(container);
  }
}

async function release({ network, group, lock, terminal }: Container): Promise<void> {
  await (await network?.catch(() => undefined))?.stop();
  await removeGroups(group?.folders ?? []);
  closeSync(lock);
  terminal?.close();
}

/** Answers with what kept it from recording or deleting the container: the command has ended, and its exit code counts more. */
async function cleanUp({ paths, host, options }: RunRequest, container: Container, exitCode: number): Promise<unknown> {
  try {
    if (options.autoRemove === true) await deleteContainer({ paths, ...container, ownership: host.ownership });
    else writeState(container.folder, { exitCode, finished: new Date().toISOString() });
    return undefined;
  } catch (error) {
    return diskError(error, 'finish', container.folder);
  }
}

/** What image, options and files of the user decide. */
type Resolved = ResolvedOptions & Pick<PlanRequest, 'systemCallFilter'> & { prepared: PreparedNetwork };

interface Container {
  readonly id: string;
  readonly folder: string;
  /** Descriptor of the lock file. */
  readonly lock: number;
  name: string | undefined;
  /** What its limits are enforced with. */
  group: ContainerGroup | undefined;
  terminal: PseudoTerminal | undefined;
  /** Who connects it, from when it is asked for. */
  network: Promise<NetworkService> | undefined;
  /** What runs it in place of the engine's own runner. */
  readonly runtime: OpenRuntime | undefined;
}

/** Costs nothing where nobody asks for one. */
async function openRuntime({ options, host }: RunRequest): Promise<OpenRuntime | undefined> {
  if (options.runtime === undefined) return undefined;
  return (await import('./oci-bundle/open-runtime.ts')).openRuntime(options.runtime, options, host);
}

/** From the record to the exit code. */
async function runToTheEnd(request: RunRequest, container: Container, resolved: Resolved): Promise<number> {
  const { paths, image, options, driver, signal } = request;
  const { id, folder } = container;
  container.terminal = options.terminal === undefined ? undefined : openPseudoTerminal();
  const mount = await withDiskErrors('prepare', folder, async () => {
    const { containers } = paths;
    const reap = async (other: string): Promise<boolean> =>
      reapContainer({ paths, ownership: request.host.ownership }, other);
    const name = await reserveName({ containers, id, wanted: options.name, reap, signal });
    container.name = name;
    const controlGroups = [...(container.group?.folders ?? [])];
    const ports = [...resolved.prepared.ports];
    writeRecord(folder, newRecord(request, { id, name, command: resolved.command, controlGroups, ports }));
    const { hostname, prepared: network } = resolved;
    writeEtcFiles(folder, { hostname, network, hostNames: options.hostNames });
    return driver.prepare({ folder, layers: image.layerFolders, ephemeral: options.autoRemove ?? false, signal });
  });
  const { terminal } = container;
  const redirected = await redirectFiles(terminal === undefined ? request.stdio : [...NO_STREAMS, terminal.master], {
    runnerFolder: paths.runner,
    signal,
  });
  const { stdio } = redirected;
  let running: RunningProgram | undefined;
  // From before there is a process: on a busy machine the command may have said that it is ready before this process goes on.
  const stopForwarding = forwardSignals(request.signals, (number) => running?.signal(number));
  try {
    const plan = planRequest({ ...request, stdio }, { container, resolved, mount });
    running = startRunner({
      program: container.runtime?.prepare(plan) ?? planContainer(plan).program,
      stdio,
      held: [container.lock],
      idMap: containerOwnership(request),
      serveNetwork: async (pid) => {
        container.network = resolved.prepared.connect?.({ pid, folder });
        await container.network;
      },
      runnerFolder: paths.runner,
      detached: true, // Ctrl-C on the caller's terminal reaches this process alone, which passes it on once
      signal,
    });
    const copied = redirected.copy({ exited: running.exited, mayOutlive: options.pid === 'host' });
    const [name, program] = [container.name ?? id, resolved.command[0] ?? ''];
    return await supervise(request, { ...container, name, program, running, copied });
  } finally {
    stopForwarding();
    redirected.close();
  }
}

/** With a terminal the command gets its descriptors inside. */
const NO_STREAMS = ['ignore', 'ignore', 'ignore'] as const;

interface Supervised {
  id: string;
  folder: string;
  name: string;
  program: string;
  terminal: PseudoTerminal | undefined;
  runtime: OpenRuntime | undefined;
  running: RunningProgram;
  /** Settles when all is in the files that stdout and stderr are. */
  copied: Promise<void>;
}

/** Looks after a container that has been launched, until nothing of it runs any more. */
async function supervise(request: RunRequest, supervised: Supervised): Promise<number> {
  const { folder, id, name, running, runtime, copied } = supervised;
  const streams = request.options.terminal;
  const streamsEnd = Promise.all([copied, request.stdio.includes('pipe') ? once(running.child, 'close') : undefined]);
  streamsEnd.catch(() => undefined); // of a process that there never was: see below
  const exited = endOf(request, supervised);
  exited.catch(() => undefined);
  try {
    request.onLaunched?.(running.child);
    recordWaiter(folder, running.pid);
    const { pid } = await running.started;
    request.onStarted?.({ id, name });
    const { code } = await withTerminal(
      { ...supervised, runnerFolder: request.paths.runner, streams },
      async () => exited,
    );
    await streamsEnd;
    throwIfAborted(request.signal, task(request));
    const failure = runtime?.explainEnd(folder, code);
    if (failure !== undefined) throw failure;
    // Killed so early that it had not forked: Node has no name for the signal, and says that it ended well.
    return pid === running.pid && code === 0 ? KILLED : code;
  } catch (error) {
    running.signal(constants.signals.SIGKILL);
    await exited.catch(() => undefined); // there never was a process: that is what the first error says
    const isNoexec = (): boolean => isNoexecCopy(request.driver, folder);
    if (error instanceof StepError) {
      throw runtime?.explainStart(error) ?? explainFailure(error, { ...request, ...supervised, isNoexec });
    }
    throw diskError(error, 'record', folder);
  }
}

/** Resolves when nothing of it runs any more. */
async function endOf({ options }: RunRequest, { running, folder }: Supervised): Promise<{ code: number }> {
  try {
    return await running.exited;
  } finally {
    await endStragglers(options, folder);
  }
}

const KILLED = 128 + constants.signals.SIGKILL;

/** So that `rm --force` finds it. */
function recordWaiter(folder: string, pid: number | undefined): void {
  const startTime = pid === undefined ? undefined : processStartTime(pid);
  if (pid !== undefined && startTime !== undefined) writeState(folder, { waiter: { pid, startTime } });
}

function containerOwnership({ kept, host }: Pick<RunRequest, 'kept' | 'host'>): Ownership {
  return kept?.ownership ?? host.ownership;
}

function planRequest(
  { paths, host, image, stdio, options, kept }: Omit<RunRequest, 'stdio'> & { stdio: readonly (IOType | number)[] },
  { container, resolved, mount }: { container: Container; resolved: Resolved; mount: Mount },
): PlanRequest {
  const ownership = containerOwnership({ kept, host });
  const { layerFolders } = image;
  return {
    ...resolved,
    folder: container.folder,
    controlGroups: container.group?.folders ?? [],
    lock: stdio.length, // the first descriptor after the command's own
    gcLock: paths.gcLock,
    layers: layerFolders,
    root: { mount, attributes: rootAttributes(layerFolders.at(-1), ownership) },
    ownership,
    permitted: host.capabilities,
    lastCapability: lastCapability(),
    terminal:
      container.terminal === undefined || options.terminal === undefined
        ? undefined
        : { path: container.terminal.path, master: NO_STREAMS.length, size: options.terminal.size() },
    pipes: pipesAmong(stdio),
    nulls: container.terminal === undefined ? nullsAmong(stdio) : [],
    thermalCpus: thermalCpus(),
  };
}

function task({ image }: RunRequest): string {
  return `run "${printable(image.name)}"`;
}
