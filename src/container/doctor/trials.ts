import { randomBytes } from 'node:crypto';
import { throwIfAborted } from '../../fs/abort.ts';
import { DEFAULT_CAPABILITIES } from '../../linux/capabilities.ts';
import type { Controller } from '../../linux/control-groups.ts';
import { executeProgram } from '../../linux/execute-program.ts';
import type { HostFacts } from '../../linux/host-facts.ts';
import { machineOf } from '../../linux/machine.ts';
import { CLONE, KEYCTL, SIGNAL } from '../../linux/process-flags.ts';
import type { Program, Step } from '../../linux/program.ts';
import { userNamespaceSteps } from '../../linux/user-namespace.ts';
import { createGroup, removeGroups } from '../limits/create-group.ts';
import type { ResourceLimits } from '../limits/resource-limits.ts';
import { loadSeccompFilter } from '../load-seccomp-filter.ts';
import { newMount } from '../steps/mounts.ts';
import { noNewPrivilegesStep, systemCallFilterSteps } from '../steps/system-call-filter.ts';
import type { Trials } from './machine-facts.ts';
import { refusalOf } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export interface TrialOptions {
  host: HostFacts;
  /** For the runner's executable file. */
  runnerFolder: string;
  signal?: AbortSignal | undefined;
}

/** Has the kernel do what a container takes, part by part, in processes that end at once: settings may say one thing and it another. */
export async function tryKernel(options: TrialOptions): Promise<Omit<Trials, 'overlay' | 'container'>> {
  const { ownership } = options.host;
  const enter = userNamespaceSteps(ownership);
  const attempt = async (program: Program): Promise<Refusal | undefined> =>
    refused(options, async () => executeProgram(program, { ...options, ownership }));
  return {
    userNamespace: ownership.kind === 'root' ? undefined : await attempt(enter),
    namespaces: await attempt([...enter, ...NAMESPACES]),
    proc: await attempt([...enter, ...PROC]),
    seccomp: await refused(options, async () => tryFilter(options)),
    keyring: await attempt([KEYRING]),
    limits: {
      memory: await refusedLimit(options, { memory: 64 * 1024 * 1024 }),
      cpu: await refusedLimit(options, { milliCpus: 1000 }),
      cpuset: await refusedLimit(options, { cpusetCpus: '0' }),
      pids: await refusedLimit(options, { pids: 1000 }),
    } satisfies Record<Controller, Refusal | undefined>,
  };
}

async function tryFilter(options: TrialOptions): Promise<void> {
  const { kernelRelease, ownership } = options.host;
  const machine = machineOf(process.arch);
  const filter = await loadSeccompFilter({
    machine,
    seccomp: 'default',
    capabilities: DEFAULT_CAPABILITIES,
    kernelRelease,
  });
  await executeProgram([noNewPrivilegesStep, ...systemCallFilterSteps(filter)], { ...options, ownership });
}

/** What the work failed with, undefined if it did not. An abort is no such failure. */
export async function refused(
  { host, signal }: Pick<TrialOptions, 'host' | 'signal'>,
  work: () => Promise<unknown>,
): Promise<Refusal | undefined> {
  throwIfAborted(signal, TASK);
  try {
    await work();
    return undefined;
  } catch (error) {
    throwIfAborted(signal, TASK);
    return refusalOf(error, host);
  }
}

const TASK = 'look at this machine';

const NAMESPACES: readonly Step[] = [
  forkInto(CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWNET | CLONE.NEWPID | CLONE.NEWCGROUP),
];

/** A fresh /proc, attached nowhere. */
const PROC: readonly Step[] = [
  forkInto(CLONE.NEWNS | CLONE.NEWPID),
  ...newMount({ type: 'proc', source: 'proc', attributes: 0, save: 'proc', what: 'mount /proc' }),
];

/** By clone, as containers do: a filter may forbid unshare alone. */
function forkInto(namespaces: number): Step {
  return { call: 'clone', args: [namespaces | SIGNAL.CHLD], fork: true, what: 'create namespaces' };
}

const KEYRING: Step = { call: 'keyctl', args: [KEYCTL.JOIN_SESSION_KEYRING, 0], what: 'join a new session keyring' };

async function refusedLimit(options: TrialOptions, limits: ResourceLimits): Promise<Refusal | undefined> {
  return refused(options, async () => {
    const group = createGroup(randomBytes(32).toString('hex'), limits);
    await removeGroups(group?.folders ?? []);
  });
}
