import type { Step } from '../../linux/program.ts';

/** What one part of the container's file tree needs, in two halves. */
export interface MountSteps {
  /** Makes detached mounts, while the host's files are still in sight. */
  prepare: Step[];
  /** Puts them in place, inside the container's root. */
  attach: Step[];
}
