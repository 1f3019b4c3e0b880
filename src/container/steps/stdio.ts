import type { Step } from '../../linux/program.ts';

/**
 * Gives the pipes among the command's descriptors to its user, as docker does: programs open /dev/stdout by its path, and
 * that asks for permission again. Where it is refused, only such a program notices.
 */
export function stdioSteps(pipes: readonly number[], uid: number): Step[] {
  if (uid === 0) return [];
  return pipes.map((descriptor) => ({
    call: 'fchown',
    args: [descriptor, uid, -1],
    ignore: 'all',
    what: 'give the pipes to the user',
  }));
}
