import { PR, SECCOMP } from '../../linux/process-flags.ts';
import type { Step } from '../../linux/program.ts';

const INSTRUCTION_SIZE = 8; // bytes of a struct sock_filter

/** Filters all system calls from the next step on. Needs CAP_SYS_ADMIN, or no_new_privs. */
export function systemCallFilterSteps(filter: Uint8Array | undefined): Step[] {
  if (filter === undefined) return [];
  const program = { words: [filter.length / INSTRUCTION_SIZE, filter] }; // struct sock_fprog
  return [{ call: 'seccomp', args: [SECCOMP.SET_MODE_FILTER, 0, program], what: 'filter the system calls (seccomp)' }];
}

/** From here on, no program gets more rights than its caller has. */
export const noNewPrivilegesStep: Step = {
  call: 'prctl',
  args: [PR.SET_NO_NEW_PRIVS, 1],
  what: 'forbid new privileges',
};
