import { constants } from 'node:fs';
import { O } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';

export interface StdioOptions {
  /** The command's descriptors that are pipes. */
  pipes: readonly number[];
  /** Those that are /dev/null. */
  nulls: readonly number[];
  user: { uid: number };
}

/** What remains to be done about the command's descriptors. Needs the container's /dev. */
export function stdioSteps({ pipes, nulls, user }: StdioOptions): Step[] {
  return [...nulls.flatMap(nullSteps), ...(user.uid === 0 ? [] : pipes.map((pipe) => giveStep(pipe, user.uid)))];
}

/** The container's own /dev/null in the place of the host's, whose mode root could change through /proc/self/fd. */
function nullSteps(descriptor: number): Step[] {
  const [save, what] = [`null ${descriptor}`, 'open /dev/null'];
  return [
    { call: 'openat', args: [{ result: 'dev' }, 'null', constants.O_RDWR | O.CLOEXEC], save, what },
    { call: 'dup3', args: [{ result: save }, descriptor, 0], what },
    { call: 'close', args: [{ result: save }], what },
  ];
}

/**
 * To the command's user, as docker does: programs open /dev/stdout by its path, and that asks for permission again. Where it is
 * refused, only such a program notices.
 */
function giveStep(descriptor: number, uid: number): Step {
  return { call: 'fchown', args: [descriptor, uid, -1], ignore: 'all', what: 'give the pipes to the user' };
}
