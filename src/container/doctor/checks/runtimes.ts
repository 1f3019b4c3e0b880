import { printable } from '../../../printable.ts';
import { ok } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

/** Others that can run a container; none is needed. */
export function checkRuntimes({ programs: { runc, crun } }: Pick<MachineFacts, 'programs'>): HostFinding[] {
  const found = [runc, crun].filter((path) => path !== undefined).map((path) => printable(path, Infinity));
  return [ok('runtimes', found.length === 0 ? 'neither runc nor crun, and none is needed' : found.join(', '))];
}
