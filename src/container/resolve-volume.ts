import { mkdirSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { VolumeRequest } from './parse-volume.ts';
import type { UserMount } from './steps/volumes.ts';

/**
 * Looks at the host side of a volume. A folder that is missing is made, as docker does for `--volume` and not for `--mount`.
 * @throws {ToolError} ERR_CONTAINER if it can be neither used nor made
 */
export function resolveVolume({ mustExist = false, ...volume }: VolumeRequest & { source: string }): UserMount {
  const { source } = volume;
  try {
    const stats = statSync(source, { throwIfNoEntry: false });
    if (stats === undefined && mustExist) throw new Error('bind source path does not exist');
    if (stats === undefined) mkdirSync(source, { recursive: true });
    return { kind: 'volume', ...volume, sourceKind: stats === undefined ? 'folder' : kindOf(stats) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError('ERR_CONTAINER', `Cannot mount the volume "${printable(source)}": ${printable(reason)}`, {
      cause: error,
    });
  }
}

// null, zero, full, random, urandom, tty: what a container has in its own /dev. A file is often hidden by /dev/null over it.
const HARMLESS_DEVICES: ReadonlySet<number> = new Set([0x103, 0x105, 0x107, 0x108, 0x109, 0x500]); // major << 8 | minor

function kindOf(stats: Stats): 'folder' | 'file' | 'device' {
  if (stats.isDirectory()) return 'folder';
  return stats.isCharacterDevice() && HARMLESS_DEVICES.has(stats.rdev) ? 'device' : 'file';
}
