import { constants } from 'node:fs';
import { AT, O } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';
import { controlSteps, resizeSteps, unlockSteps } from '../../linux/pseudo-terminal.ts';
import type { TerminalSize } from '../../linux/pseudo-terminal.ts';

/** The terminal that a container gets with `-t`: of its own, so that nothing in it can type into the caller's. */
export interface ContainerTerminal {
  /** Number of the master's descriptor in the runner. */
  master: number;
  /** `/dev/pts/3` of the host. */
  path: string;
  size: TerminalSize;
}

/** On the host, before anything opens it. The master is then closed: only whoever is at its other end keeps the terminal from hanging up. */
export function prepareTerminalSteps({ master, size }: ContainerTerminal): Step[] {
  const close: Step = { call: 'close', args: [master], what: 'close the master of the terminal' };
  return [...unlockSteps(master), ...resizeSteps(master, size), close];
}

/** In the container's session, with the host's files still in sight: it becomes the command's descriptors 0, 1 and 2. */
export function openTerminalSteps({ path }: ContainerTerminal): Step[] {
  const what = 'open the terminal';
  const flags = constants.O_RDWR | constants.O_NOCTTY | O.CLOEXEC;
  return [
    { call: 'openat', args: [AT.FDCWD, path, flags], save: 'terminal', what },
    ...[0, 1, 2].map((descriptor): Step => ({ call: 'dup3', args: [{ result: 'terminal' }, descriptor, 0], what })),
    { call: 'close', args: [{ result: 'terminal' }], what },
    ...controlSteps(0),
  ];
}

/**
 * As a login does: programs open /dev/tty and what `tty` prints by path, and that asks for permission again. The caller, who is
 * `caller` inside, has the terminal already.
 */
export function ownTerminalSteps(uid: number, caller: number): Step[] {
  // EPERM where its group, which is the host's tty, does not exist in the user namespace.
  const give: Step = { call: 'fchown', args: [0, uid, -1], ignore: ['EPERM'], what: 'give the terminal to the user' };
  return uid === caller ? [] : [give];
}
