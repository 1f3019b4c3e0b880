import { readFileSync } from 'node:fs';
import { parseMounts } from '../linux/mount-info.ts';
import type { MountEntry } from '../linux/mount-info.ts';

/**
 * The mount that a file is on. `path` is absolute and has no symlink in it.
 * @param mountinfo text of /proc/self/mountinfo, which is read unless given
 */
export function findMount(
  path: string,
  mountinfo: string = readFileSync('/proc/self/mountinfo', 'utf8'),
): MountEntry | undefined {
  // Of several on one point the last covers the others.
  let found: MountEntry | undefined;
  for (const entry of parseMounts(mountinfo)) {
    const { point } = entry;
    const isAbove = point === '/' || path === point || path.startsWith(`${point}/`);
    if (isAbove && point.length >= (found?.point.length ?? 0)) found = entry;
  }
  return found;
}
