import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ToolError } from '../../errors.ts';
import { DEFAULT_CAPABILITIES } from '../../linux/capabilities.ts';
import type { HostFacts } from '../../linux/host-facts.ts';
import { machineOf } from '../../linux/machine.ts';
import type { Program } from '../../linux/program.ts';
import type { StepError } from '../../linux/step-error.ts';
import type { ContainerOptions } from '../container-options.ts';
import type { ContainerGroup } from '../limits/create-group.ts';
import { readSeccompProfile } from '../load-seccomp-filter.ts';
import { DEFAULT_SECURITY } from '../parse-security.ts';
import type { PlanRequest } from '../plan-container.ts';
import { explainFailure } from '../explain-failure.ts';
import { bundleConfig } from './bundle-config.ts';
import { readBundleFacts } from './bundle-facts.ts';
import { bundleFolder } from './bundle-folder.ts';
import { initFiles, readInitFailure, writeInit } from './bundle-init.ts';
import { bundleSeccomp } from './bundle-seccomp.ts';
import { encodeConfig } from './encode-config.ts';
import type { Runtime } from './find-runtime.ts';
import type { OciSeccomp } from './oci-config.ts';
import { runtimeFailure } from './runtime-failure.ts';
import { createRuntimeGroup } from './runtime-groups.ts';
import type { RuntimeGroups } from './runtime-groups.ts';
import { START_RUNTIME, runtimeProgram } from './runtime-program.ts';

/** One container's dealings with an OCI runtime, in this order. */
export interface OpenRuntime {
  /** Control groups for it. */
  createGroup(id: string): Promise<ContainerGroup>;
  /** Writes the bundle into the container's folder and answers with what starts the runtime. */
  prepare(request: PlanRequest): Program;
  /** Why it was not started, for people; undefined if it is not the runtime that could not be executed. */
  explainStart(failure: StepError): ToolError | undefined;
  /** Why the command did not run, after the runtime has ended; undefined if it did. */
  explainEnd(folder: string, exitCode: number): ToolError | undefined;
}

/**
 * @throws {ToolError} ERR_UNSUPPORTED for what has no form in a bundle, or cannot be held to what this engine promises; and what
 * reading a seccomp profile throws
 */
export async function openRuntime(runtime: Runtime, options: ContainerOptions, host: HostFacts): Promise<OpenRuntime> {
  checkOptions(runtime, options);
  const seccomp = await readSeccomp(options, host);
  const { limits = {} } = options;
  let groups: RuntimeGroups = { path: undefined, folders: [], binds: [], hidden: [] };
  let prepared: PlanRequest | undefined;
  return {
    async createGroup(id) {
      const created = await createRuntimeGroup(id, limits, { rootless: host.ownership.kind !== 'root' });
      ({ groups } = created);
      return created.group;
    },
    prepare(request) {
      prepared = request;
      const { bundle, state } = foldersOf(request.folder);
      mkdirSync(state, { recursive: true, mode: 0o700 });
      const facts = { seccomp, limits, cgroupsPath: groups.path, ...readBundleFacts(host, request) };
      writeFileSync(join(bundle, 'config.json'), encodeConfig(bundleConfig({ ...request, ...facts })), WRITE);
      if (request.init) writeInit(bundle, request, machineOf(process.arch));
      return runtimeProgram(request, {
        path: runtime.path,
        args: argumentsFor(runtime, request),
        state,
        groups,
        initProgram: request.init ? initFiles(bundle).program : undefined,
      });
    },
    explainStart(failure) {
      if (failure.call !== START_RUNTIME) return undefined;
      return new ToolError('ERR_HOST', failure.message, { cause: failure });
    },
    explainEnd(folder, exitCode) {
      const { bundle, log } = foldersOf(folder);
      const failure = prepared?.init === true ? readInitFailure(bundle, prepared, machineOf(process.arch)) : undefined;
      if (failure === undefined) return runtimeFailure(runtime.name, log, exitCode);
      return explainFailure(failure, { program: prepared?.command[0] ?? '', host, isNoexec: () => false });
    },
  };
}

const WRITE = { flag: 'wx', mode: 0o600 } as const; // the environment may hold secrets

/** In the container's own folder. */
function foldersOf(folder: string): { bundle: string; state: string; log: string } {
  const bundle = bundleFolder(folder);
  return { bundle, state: join(bundle, 'state'), log: join(bundle, 'log') };
}

/** Nothing of the image's is among them. */
function argumentsFor({ path }: Runtime, { folder, init }: PlanRequest): string[] {
  const { bundle, state, log } = foldersOf(folder);
  const options = [
    // Keeps the control groups, from which the engine then learns whether memory ran out. Only runc has it.
    ...(basename(path).startsWith('runc') ? ['--keep'] : []),
    ...(init ? ['--preserve-fds=1'] : []),
  ];
  const common = ['--root', state, '--log', log, '--log-format', 'json'];
  return [...common, 'run', ...options, '--bundle', bundle, basename(folder)];
}

function checkOptions({ name }: Runtime, { pid, domainname, userns }: ContainerOptions): void {
  const cannot = (what: string, reason: string): ToolError =>
    new ToolError('ERR_UNSUPPORTED', `Cannot use ${what} with the runtime "${name}": ${reason}`, {
      hint: 'Leave out --runtime: the runner of this engine can.',
    });
  if (pid === 'host') throw cannot('--pid host', 'the container would outlive this process');
  if (userns?.kind === 'keep-id')
    throw cannot('--userns keep-id', 'it becomes root of the namespace on the way, which has no form in a bundle');
  if (domainname !== undefined) throw cannot('a domain name', 'not every runtime sets it');
}

async function readSeccomp(
  { security = DEFAULT_SECURITY, capabilities = DEFAULT_CAPABILITIES }: ContainerOptions,
  { kernelRelease }: HostFacts,
): Promise<OciSeccomp | undefined> {
  if (security.seccomp === 'unconfined') return undefined;
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const names = new Set(capabilities.map((name) => `CAP_${name}`));
  return bundleSeccomp(await readSeccompProfile(security.seccomp), {
    architecture,
    capabilities: names,
    kernelRelease,
  });
}
