import { RLIMIT } from '../../linux/process-flags.ts';
import type { Step } from '../../linux/program.ts';
import { UNLIMITED } from '../parse-ulimit.ts';
import type { Ulimit } from '../parse-ulimit.ts';

/**
 * Resource limits, where Node or the caller left others: as many open files as docker gives (Node raises its own soft limit
 * to the hard one, and some programs close every number up to it), and no core files unless the command asks for them. What the user
 * gives goes before.
 */
export function limitSteps(ulimits: readonly Ulimit[]): Step[] {
  return [
    ...defaultLimits(),
    ...ulimits.map(({ resource, soft, hard }) => ({
      ...limit(RLIMIT[resource], soft, hard),
      what: `set ulimit ${resource.toLowerCase()}`,
    })),
  ];
}

function defaultLimits(): Step[] {
  return [
    // EPERM: the caller's hard limit is lower. Then it stays, and is small enough.
    { ...limit(RLIMIT.NOFILE, 1024n, 524_288n), ignore: ['EPERM'] },
    { ...limit(RLIMIT.CORE, 0n, UNLIMITED), ignore: ['EPERM'], skipOnSuccess: 1 },
    limit(RLIMIT.CORE, 0n, 0n),
  ];
}

function limit(resource: number, soft: bigint, hard: bigint): Step {
  return { call: 'prlimit64', args: [0, resource, { words: [soft, hard] }], what: 'limit resources' };
}
