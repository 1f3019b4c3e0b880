import { dieWithParentSteps } from '../../linux/die-with-parent.ts';
import { callerInside } from '../../linux/ownership.ts';
import type { Ownership } from '../../linux/ownership.ts';
import type { Step } from '../../linux/program.ts';

/**
 * Where the caller is not root of the user namespace, what the engine makes for the container would belong to the caller. It is root's,
 * as in every container, if root makes it. The host's own files have to be found before: their owners and ACLs do not know this root.
 */
export function becomeRootSteps(ownership: Ownership): Step[] {
  if (!becomesRoot(ownership)) return [];
  const what = 'become root of the user namespace';
  return [
    { call: 'setresgid', args: [0, 0, 0], what },
    { call: 'setresuid', args: [0, 0, 0], what },
    ...dieWithParentSteps(), // the kernel has forgotten it with the change of credentials
  ];
}

/** Whether there is a root that the caller is not. */
export function becomesRoot(ownership: Ownership): boolean {
  const { uid, gid } = callerInside(ownership);
  return ownership.kind === 'mapped' && (uid !== 0 || gid !== 0);
}
