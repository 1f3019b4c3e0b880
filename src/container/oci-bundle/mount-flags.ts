import { closeSync, openSync, readFileSync } from 'node:fs';
import { O } from '../../linux/path-flags.ts';

/**
 * Flags of the mount that holds each of `paths`. A runtime sets the flags of a volume anew: what is not named is taken away, or in a
 * user namespace, where those of the host are locked, refused. Throws what openSync throws.
 */
export function readMountFlags(paths: readonly string[]): Map<string, string[]> {
  if (paths.length === 0) return new Map();
  const mountinfo = readFileSync('/proc/self/mountinfo', 'latin1');
  return new Map(paths.map((path) => [path, flagsOf(mountinfo, mountIdOf(path))]));
}

/** The flags of the mount `id` that add to its protection; proc_pid_mountinfo(5). */
export function flagsOf(mountinfo: string, id: string): string[] {
  const fields = mountinfo.split('\n').map((line) => line.split(' '));
  const options = fields.find(([first]) => first === id)?.[OPTIONS]?.split(',') ?? [];
  return options.filter((option) => PROTECTING.has(option));
}

const OPTIONS = 5;
const PROTECTING: ReadonlySet<string> = new Set(['nodev', 'noexec', 'nosuid', 'ro']);

/** Linux 3.15; proc_pid_fdinfo(5) */
function mountIdOf(path: string): string {
  const file = openSync(path, O.PATH);
  try {
    return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, 'latin1'))?.[1] ?? '';
  } finally {
    closeSync(file);
  }
}
