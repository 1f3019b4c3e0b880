import type { Controller } from '../../linux/control-groups.ts';
import type { ResourceLimits } from './resource-limits.ts';

/** What to write into one file of a control group. */
export interface GroupSetting {
  controller: Controller;
  file: string;
  value: string;
  /** The flag that asks for it, for errors. */
  flag: string;
  /** Nobody has asked for it: it comes with another limit. */
  isImplied?: boolean | undefined;
}

/** Of the processor's quota, in microseconds: docker's. */
export const PERIOD = 100_000;

/** What limits come to in the files of a version of control groups, in the order in which the kernel takes them. */
export function groupSettings(limits: ResourceLimits, versionOf: (controller: Controller) => 1 | 2): GroupSetting[] {
  return settings(limits).map(({ v1, v2, ...setting }) => {
    const [file, value] = versionOf(setting.controller) === 1 ? v1 : v2;
    return { ...setting, file, value };
  });
}

interface BothVersions extends Omit<GroupSetting, 'file' | 'value'> {
  v1: readonly [file: string, value: string];
  v2: readonly [file: string, value: string];
}

function settings({ memory, memorySwap, milliCpus, cpuShares, cpusetCpus, pids }: ResourceLimits): BothVersions[] {
  const found: BothVersions[] = [];
  if (memory !== undefined) {
    const bytes = String(memory);
    const [v1, v2] = [['memory.limit_in_bytes', bytes] as const, ['memory.max', bytes] as const];
    found.push({ controller: 'memory', flag: '--memory', v1, v2 });
    found.push({ ...swapSetting(memory, memorySwap ?? 2 * memory), isImplied: memorySwap === undefined });
  }
  if (milliCpus !== undefined) {
    const quota = milliCpus * (PERIOD / 1000);
    const [v1, v2] = [['cpu.cfs_quota_us', String(quota)] as const, ['cpu.max', `${quota} ${PERIOD}`] as const];
    found.push({ controller: 'cpu', flag: '--cpus', v1, v2 });
  }
  if (cpuShares !== undefined) {
    const [v1, v2] = [['cpu.shares', String(cpuShares)] as const, ['cpu.weight', String(weightOf(cpuShares))] as const];
    found.push({ controller: 'cpu', flag: '--cpu-shares', v1, v2 });
  }
  if (cpusetCpus !== undefined) found.push(sameInBoth('cpuset', '--cpuset-cpus', ['cpuset.cpus', cpusetCpus]));
  if (pids !== undefined) {
    found.push(sameInBoth('pids', '--pids-limit', ['pids.max', pids === -1 ? 'max' : String(pids)]));
  }
  return found;
}

function sameInBoth(
  controller: Controller,
  flag: string,
  setting: readonly [file: string, value: string],
): BothVersions {
  return { controller, flag, v1: setting, v2: setting };
}

/** Version 1 counts memory and swap together, version 2 swap alone. */
function swapSetting(memory: number, total: number): BothVersions {
  return {
    controller: 'memory',
    flag: '--memory-swap',
    v1: ['memory.memsw.limit_in_bytes', String(total)],
    v2: ['memory.swap.max', total === -1 ? 'max' : String(total - memory)],
  };
}

/** From 2..262144 to 1..10000, as runc does. */
function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}
