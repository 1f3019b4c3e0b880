import type { Obstacle } from '../../linux/obstacles.ts';

/** What is looked at, in the order of the report. */
export type HostCheck =
  | 'kernel'
  | 'machine'
  | 'node'
  | 'surroundings'
  | 'user namespaces'
  | 'subordinate ids'
  | 'namespaces'
  | '/proc'
  | '/sys'
  | 'seccomp'
  | 'security modules'
  | 'new privileges'
  | 'terminal'
  | 'keyrings'
  | 'control groups'
  | 'limits'
  | 'store'
  | 'disk space'
  | 'layers'
  | 'runner'
  | 'private network'
  | 'runtimes'
  | 'environment'
  | 'registry'
  | 'container';

/** One thing that was looked at on this machine, as this user. All texts are safe for a terminal. */
export interface HostFinding {
  check: HostCheck;
  /**
   * - ok: as it should be, or of no consequence;
   * - note: containers run, with less than they could have;
   * - problem: containers with docker's defaults cannot run.
   */
  state: 'ok' | 'note' | 'problem';
  /** What is there. */
  found: string;
  /** What that means for containers. */
  meaning?: string | undefined;
  /** A command where there is one, else a phrase in the imperative. */
  remedy?: string | undefined;
}

type Details = Pick<HostFinding, 'meaning' | 'remedy'>;

export function ok(check: HostCheck, found: string, details: Details = {}): HostFinding {
  return { check, state: 'ok', found, ...details };
}

export function note(check: HostCheck, found: string, details: Details): HostFinding {
  return { check, state: 'note', found, ...details };
}

export function problem(check: HostCheck, found: string, details: Details = NO_CONTAINERS): HostFinding {
  return { check, state: 'problem', found, ...NO_CONTAINERS, ...details };
}

const NO_CONTAINERS: Details = { meaning: 'containers cannot run' };

/** An obstacle in the words that a failing run has for it. */
export function obstructed(
  check: HostCheck,
  { cause, remedy }: Obstacle,
  { state = 'problem', meaning = NO_CONTAINERS.meaning }: Partial<Pick<HostFinding, 'state' | 'meaning'>> = {},
): HostFinding {
  return { check, state, found: cause, meaning, remedy };
}
