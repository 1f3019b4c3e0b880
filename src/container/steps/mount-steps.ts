import type { Step } from '../../linux/program.ts';

/** What one part of the container's file tree needs, in the order in which it is done. */
export interface MountSteps {
  /** Finds files of the user's on the host, as the user. */
  find?: Step[] | undefined;
  /** Makes detached mounts, while the host's files are still in sight. */
  prepare: Step[];
  /** Puts them in place, inside the container's root. */
  attach: Step[];
}
