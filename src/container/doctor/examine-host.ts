import { join } from 'node:path';
import { storeFolder } from '../../image/engine.ts';
import type { EngineOptions } from '../../image/engine.ts';
import type { HostFinding } from './host-finding.ts';
import type { RegistryOptions } from '../../registry/client.ts';
import { checkRegistry } from './check-registry.ts';
import { judgeMachine } from './judge-machine.ts';
import { examineStore } from './examine-store.ts';
import { readMachineFacts } from './read-machine-facts.ts';
import { tryKernel } from './trials.ts';

export interface ExamineHostOptions extends EngineOptions {
  /** Variables that have a say in where programs are found and how registries are reached; none unless given. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** How to talk to registries, to ask one of them as well; asked for at once, so that nothing of it is loaded otherwise. */
  registry?: (() => Promise<RegistryOptions>) | undefined;
  signal?: AbortSignal | undefined;
}

export interface HostReport {
  findings: HostFinding[];
  /** Containers with docker's defaults run here, for this user. */
  canRun: boolean;
}

/**
 * Looks at this machine as this user, and tries what a container takes: namespaces, mounts, filters, limits, and a whole container up to
 * its first program. Makes the store if it is not there and leaves nothing else behind; uses no network without `registry`.
 * With version 2 of control groups this process may end up in a group of its own below the present one, as by a run with limits.
 * What is wrong is told, not thrown.
 * @throws {ToolError} ERR_ABORTED; ERR_HOST without /proc
 */
export async function examineHost({ home, env = {}, registry, signal }: ExamineHostOptions = {}): Promise<HostReport> {
  const read = readMachineFacts(env);
  const options = { host: read.host, runnerFolder: join(storeFolder({ home }), 'runner'), signal };
  const { store, trials } = await examineStore(home, options);
  const kernel = await tryKernel(options);
  const findings = judgeMachine({ ...read, store, trials: { ...kernel, ...trials } });
  if (registry !== undefined) findings.push(await checkRegistry(registry, options));
  return { findings, canRun: findings.every(({ state }) => state !== 'problem') };
}
