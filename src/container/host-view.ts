import type { IOType } from 'node:child_process';
import { existsSync, fstatSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ToolError } from '../errors.ts';
import { hasErrno } from '../fs/disk-error.ts';
import { CAPABILITIES } from '../linux/capabilities.ts';
import type { Ownership } from '../linux/ownership.ts';
import { insideOwner } from './id-mapping.ts';
import type { RootAttributes } from './steps/root-file-system.ts';

/** What the root folder of the topmost layer is like, in the ids of the container. */
export function rootAttributes(layerFolder: string | undefined, ownership: Ownership): RootAttributes {
  if (layerFolder === undefined) return DEFAULT_ROOT;
  const stats = statSync(join(layerFolder, 'fs'), { throwIfNoEntry: false });
  if (stats === undefined) return DEFAULT_ROOT; // its absence is noticed where nobody can remove it any more: contentGuardSteps
  return { ...insideOwner(ownership, stats), mode: stats.mode & 0o7777 };
}

const DEFAULT_ROOT: RootAttributes = { uid: 0, gid: 0, mode: 0o755 };

/**
 * A folder among the command's descriptors would be a way out of the container: to the folder above it, and on.
 * @throws {ToolError} ERR_USAGE
 */
export function checkDescriptors(stdio: readonly (IOType | number)[]): void {
  for (const [descriptor, source] of stdio.entries()) {
    const ours = callersDescriptor(source, descriptor);
    if (ours === undefined || !fstatSync(ours).isDirectory()) continue;
    throw new ToolError(
      'ERR_USAGE',
      `Cannot hand on descriptor ${descriptor}: it is a folder, and a file, pipe or terminal was wanted`,
    );
  }
}

/** Those of the command's descriptors that are pipes of the caller's. */
export function pipesAmong(stdio: readonly (IOType | number)[]): number[] {
  return stdio.flatMap((source, descriptor) => {
    const ours = callersDescriptor(source, descriptor);
    return ours !== undefined && fstatSync(ours).isFIFO() ? [descriptor] : [];
  });
}

/** Those that are the host's /dev/null. */
export function nullsAmong(stdio: readonly (IOType | number)[]): number[] {
  return stdio.flatMap((source, descriptor) => {
    const ours = callersDescriptor(source, descriptor);
    return source === 'ignore' || (ours !== undefined && fstatSync(ours).rdev === NULL_DEVICE) ? [descriptor] : [];
  });
}

/** Major 1, minor 3: Documentation/admin-guide/devices.txt of the kernel. */
export const NULL_DEVICE = 0x103;

/** Number of the highest capability of this kernel, whether this engine has a name for it or not. */
export function lastCapability(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES')) return CAPABILITIES.length - 1; // a sandbox with a kernel of its own
    throw error;
  }
}

/** Processors with a folder thermal_throttle, which not every machine has. */
export function thermalCpus(): number[] {
  const folder = '/sys/devices/system/cpu';
  if (!existsSync(`${folder}/cpu0/thermal_throttle`)) return [];
  return readdirSync(folder)
    .map((name) => /^cpu(\d+)$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number);
}

/** Number of the descriptor of this process that becomes `descriptor` of the command, undefined if there is none. */
export function callersDescriptor(source: IOType | number, descriptor: number): number | undefined {
  if (source === 'inherit') return descriptor;
  return typeof source === 'number' ? source : undefined;
}
