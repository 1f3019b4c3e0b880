import { readFileSync } from 'node:fs';
import { ToolError } from '../../errors.ts';
import { egressFilterSteps } from '../../linux/egress-filter.ts';
import { AT, O } from '../../linux/path-flags.ts';
import { CLONE } from '../../linux/process-flags.ts';
import type { Step } from '../../linux/program.ts';
import { startRunner } from '../../linux/runner.ts';
import { StepError } from '../../linux/step-error.ts';
import { frameFilter } from './frame-filter.ts';
import type { NetworkRequest } from './network-service.ts';
import { INTERFACE } from './pasta-arguments.ts';

/**
 * Keeps the container from addresses that are the host's own business: see frameFilter. The interface must be there.
 * @throws {ToolError} ERR_HOST
 */
export async function filterFrames({ pid, isRoot, runnerFolder, signal }: NetworkRequest): Promise<void> {
  const device = deviceNumber(readFileSync(`/proc/${pid}/net/igmp`, 'utf8'), INTERFACE);
  if (device === undefined) throw new Error(`There is no ${INTERFACE} in the container's network`);
  const running = startRunner({
    program: [
      ...(isRoot ? [] : enterSteps(pid, 'user', CLONE.NEWUSER)),
      ...enterSteps(pid, 'net', CLONE.NEWNET),
      ...egressFilterSteps(device, frameFilter()),
    ],
    stdio: ['ignore', 'ignore', 'ignore'],
    runnerFolder,
    signal,
  });
  try {
    await running.started;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    throw new ToolError('ERR_HOST', `Cannot keep the container from the host's loopback: ${error.message}`, {
      cause: error,
      hint: 'The kernel needs its modules sch_ingress and cls_bpf: try "modprobe -a sch_ingress cls_bpf" as root.',
    });
  }
}

function enterSteps(pid: number, namespace: 'user' | 'net', flag: number): Step[] {
  const what = `enter the container's ${namespace} namespace`;
  const save = `${namespace} namespace`;
  return [
    { call: 'openat', args: [AT.FDCWD, `/proc/${pid}/ns/${namespace}`, O.CLOEXEC], save, what },
    { call: 'setns', args: [{ result: save }, flag], what },
  ];
}

/** From /proc/net/igmp, which has a line `2\teth0      :     1      V3` for each interface. */
export function deviceNumber(text: string, name: string): number | undefined {
  for (const [, number, device] of text.matchAll(/^(\d+)\s+(\S+)\s*:/gm)) if (device === name) return Number(number);
  return undefined;
}
