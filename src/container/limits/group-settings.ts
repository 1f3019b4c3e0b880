import type { Controller } from '../../linux/control-groups.ts';
import type { ResourceLimits } from './resource-limits.ts';

/** What to write into one file of a control group. */
export interface GroupSetting {
  controller: Controller;
  file: string;
  value: string;
  /** The flag that asks for it, for errors. */
  flag: string;
}

const PERIOD = 100_000; // microseconds, docker's

/** What limits come to in the files of a version of control groups, in the order in which the kernel takes them. */
export function groupSettings(limits: ResourceLimits, versionOf: (controller: Controller) => 1 | 2): GroupSetting[] {
  const both = settings(limits);
  return both.map(({ v1, v2, controller, flag }) => {
    const [file, value] = versionOf(controller) === 1 ? v1 : v2;
    return { controller, flag, file, value };
  });
}

interface BothVersions {
  controller: Controller;
  flag: string;
  v1: readonly [file: string, value: string];
  v2: readonly [file: string, value: string];
}

function settings({ memory, memorySwap, milliCpus, cpuShares, cpusetCpus, pids }: ResourceLimits): BothVersions[] {
  const quota = (milliCpus ?? 0) * (PERIOD / 1000);
  const found: (BothVersions | undefined)[] = [
    memory === undefined
      ? undefined
      : {
          controller: 'memory',
          flag: '--memory',
          v1: ['memory.limit_in_bytes', String(memory)],
          v2: ['memory.max', String(memory)],
        },
    memory === undefined ? undefined : swapSetting(memory, memorySwap ?? 2 * memory),
    milliCpus === undefined
      ? undefined
      : {
          controller: 'cpu',
          flag: '--cpus',
          v1: ['cpu.cfs_quota_us', String(quota)],
          v2: ['cpu.max', `${quota} ${PERIOD}`],
        },
    cpuShares === undefined
      ? undefined
      : {
          controller: 'cpu',
          flag: '--cpu-shares',
          v1: ['cpu.shares', String(cpuShares)],
          v2: ['cpu.weight', String(weightOf(cpuShares))],
        },
    cpusetCpus === undefined
      ? undefined
      : {
          controller: 'cpuset',
          flag: '--cpuset-cpus',
          v1: ['cpuset.cpus', cpusetCpus],
          v2: ['cpuset.cpus', cpusetCpus],
        },
    pids === undefined
      ? undefined
      : {
          controller: 'pids',
          flag: '--pids-limit',
          v1: ['pids.max', pids === -1 ? 'max' : String(pids)],
          v2: ['pids.max', pids === -1 ? 'max' : String(pids)],
        },
  ];
  return found.filter((setting) => setting !== undefined);
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
