import { SIGNAL } from '../../linux/process-flags.ts';
import type { Step } from '../../linux/program.ts';

export interface InitOptions {
  /** Number of the container's lock in the runner, which the init has no business with. */
  lock: number;
}

/**
 * `--init`: the runner itself stays as the container's first process. It passes signals on to the command, reaps what the command leaves
 * behind, and ends with it. It comes after all changes of credentials, so that it has no more rights than the command.
 */
export function initSteps({ lock }: InitOptions): Step[] {
  return [{ call: 'close', args: [lock], what: forkInitStep.what }, forkInitStep];
}

/** Here the process splits into the init and what becomes the command. */
export const forkInitStep: Step = {
  call: 'clone',
  args: [SIGNAL.CHLD],
  fork: true,
  what: 'start the init process',
};
