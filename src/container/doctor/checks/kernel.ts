import { distributionName } from '../../../linux/distribution.ts';
import { MINIMUM_KERNEL, oldKernelObstacle } from '../../../linux/obstacles.ts';
import { isMachine } from '../../../linux/syscalls.ts';
import { printable } from '../../../printable.ts';
import { obstructed, ok, problem } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'host' | 'machine' | 'nodeVersion' | 'osRelease'>;

export function checkKernel({ host, machine, nodeVersion, osRelease }: Facts): HostFinding[] {
  const { kernelRelease } = host;
  const distribution = printable(distributionName(osRelease) ?? 'an unknown distribution');
  return [
    isAtLeast(kernelRelease, MINIMUM_KERNEL)
      ? ok('kernel', `Linux ${printable(kernelRelease)}, ${distribution}`)
      : obstructed('kernel', oldKernelObstacle(printable(kernelRelease), 'mount_setattr')),
    isMachine(machine)
      ? ok('machine', machine)
      : problem('machine', machine, { remedy: 'use a machine that mydocker has a runner for' }),
    isAtLeast(nodeVersion.replace(/^v/, ''), MINIMUM_NODE)
      ? ok('node', nodeVersion)
      : problem('node', `Node ${nodeVersion}, and ${MINIMUM_NODE.join('.')} or newer is needed`, {
          remedy: 'install a newer Node: https://nodejs.org/en/download',
        }),
  ];
}

const MINIMUM_NODE = [20, 20] as const; // "engines" of package.json

/** Compares the first two numbers; a text without any is taken for too old. */
function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(first) > major || (Number(first) === major && Number(second) >= minor);
}
