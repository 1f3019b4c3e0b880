import { parseMounts } from '../../../linux/mount-info.ts';
import type { MountEntry } from '../../../linux/mount-info.ts';
import { coveredObstacle } from '../../../linux/obstacles.ts';
import { printable } from '../../../printable.ts';
import { note, obstructed, ok, problem } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'mountinfo'> & {
  trials: Pick<MachineFacts['trials'], 'namespaces' | 'proc' | 'userNamespace'>;
};

/** /proc and /sys, which another container may have covered in parts. */
export function checkKernelViews({ mountinfo, trials }: Facts): HostFinding[] {
  const mounts = parseMounts(mountinfo);
  return [...procFindings(coveredBelow('/proc', mounts), trials), ...sysFindings(mounts)];
}

function procFindings(covered: readonly string[], { proc, namespaces, userNamespace }: Facts['trials']): HostFinding[] {
  if (proc === undefined) return [ok('/proc', 'was mounted anew')];
  if (userNamespace !== undefined || namespaces !== undefined) return []; // it did not come to that
  const { cause, remedy } = coveredObstacle('/proc');
  if (covered.length === 0) return [problem('/proc', proc.problem, { remedy: proc.remedy })];
  return [obstructed('/proc', { cause: `${cause}: ${named(covered)}`, remedy })];
}

function sysFindings(mounts: readonly MountEntry[]): HostFinding[] {
  const isThere = mounts.some(({ point, type }) => point === '/sys' && type === 'sysfs');
  if (isThere) return [ok('/sys', 'is mounted')];
  return [
    note('/sys', 'no sysfs is mounted there', {
      meaning: 'containers see of it what is there',
      remedy: 'mount it: mount -t sysfs sysfs /sys',
    }),
  ];
}

/** File systems that the kernel itself keeps empty folders for are of no account. */
function coveredBelow(folder: string, mounts: readonly MountEntry[]): string[] {
  const points = mounts
    .filter(({ point, type }) => point.startsWith(`${folder}/`) && !HARMLESS.has(type))
    .map(({ point }) => point);
  return [...new Set(points)];
}

const HARMLESS: ReadonlySet<string> = new Set(['autofs', 'binfmt_misc', 'nfsd']);

const MOST_NAMED = 4;

function named(paths: readonly string[]): string {
  const shown = paths.slice(0, MOST_NAMED).map((path) => printable(path));
  return paths.length > MOST_NAMED ? `${shown.join(', ')} and ${paths.length - MOST_NAMED} more` : shown.join(', ');
}
