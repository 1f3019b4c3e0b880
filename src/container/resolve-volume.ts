import { statSync } from 'node:fs';
import { ToolError } from '../errors.ts';
import { makePath } from '../fs/make-path.ts';
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
    if (stats === undefined) makePath(source);
    const device = stats?.isCharacterDevice() === true ? HARMLESS_DEVICES.get(stats.rdev) : undefined;
    // By the host's own name for it: by the time it is mounted, another device may stand in `source`.
    if (device !== undefined) return { kind: 'volume', ...volume, source: device, sourceKind: 'device' };
    return { kind: 'volume', ...volume, sourceKind: stats?.isDirectory() === false ? 'file' : 'folder' };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError('ERR_CONTAINER', `Cannot mount the volume "${printable(source)}": ${printable(reason)}`, {
      cause: error,
    });
  }
}

/** What a container has in its own /dev, by major << 8 | minor. A file is often hidden by /dev/null over it. */
const HARMLESS_DEVICES: ReadonlyMap<number, string> = new Map([
  [0x103, '/dev/null'],
  [0x105, '/dev/zero'],
  [0x107, '/dev/full'],
  [0x108, '/dev/random'],
  [0x109, '/dev/urandom'],
  [0x500, '/dev/tty'],
]);
