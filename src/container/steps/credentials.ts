import { capabilityMask, capsetData, capsetHeader } from '../../linux/capabilities.ts';
import type { Capability } from '../../linux/capabilities.ts';
import { KEYCTL, PR } from '../../linux/process-flags.ts';
import type { Step } from '../../linux/program.ts';
import type { ContainerUser } from '../resolve-user.ts';
import { noNewPrivilegesStep, systemCallFilterSteps } from './system-call-filter.ts';

export interface CredentialOptions {
  user: ContainerUser;
  /** What the container may ever have: the bounding set, and what a root user of it starts with. */
  capabilities: readonly Capability[];
  /** What the process that sets it up has, as a mask: nobody can hand on more. */
  permitted: bigint;
  /** The highest capability that this kernel knows. */
  lastCapability: number;
  /** Whether setgroups is allowed: not in a user namespace with one id, which has no other groups anyway. */
  canSetGroups: boolean;
  /** Program for seccomp(2); undefined: all system calls. */
  systemCallFilter: Uint8Array | undefined;
  noNewPrivileges: boolean;
}

/**
 * Takes all capabilities but the chosen ones, and becomes the user. A user other than root has none from then on, as with
 * docker; programs with file capabilities may regain what is in the bounding set.
 * The filter of system calls comes as late as can be: what stands behind it has to pass it. Without no_new_privs it takes
 * CAP_SYS_ADMIN, and so has to come before that goes.
 */
export function credentialSteps(options: CredentialOptions): Step[] {
  const { user, capabilities, permitted, lastCapability, canSetGroups, noNewPrivileges } = options;
  const chosen = capabilityMask(capabilities) & permitted;
  const kept = user.uid === 0 ? chosen : 0n;
  const { uid, gid } = user;
  const filter = systemCallFilterSteps(options.systemCallFilter);
  return [
    joinSessionKeyring,
    ...boundingSteps(chosen, lastCapability),
    ...(canSetGroups ? [groupStep(user.groups)] : []),
    { call: 'setresgid', args: [gid, gid, gid], what: `become the group ${gid}` },
    ...(noNewPrivileges ? [] : filter),
    { call: 'setresuid', args: [uid, uid, uid], what: `become the user ${uid}` },
    {
      call: 'capset',
      // What is inheritable would pass to programs with file capabilities (CVE-2022-24769); ambient ones go with it.
      args: [capsetHeader(), capsetData({ effective: kept, permitted: kept, inheritable: 0n })],
      what: 'limit the capabilities',
    },
    ...(noNewPrivileges ? [noNewPrivilegesStep, ...filter] : []),
  ];
}

/** Keys of the caller's session would be in reach otherwise. Kernels without keys, and sandboxes that refuse, have none to hide. */
const joinSessionKeyring: Step = {
  call: 'keyctl',
  args: [KEYCTL.JOIN_SESSION_KEYRING, 0],
  ignore: ['ENOSYS', 'EPERM', 'EOPNOTSUPP'],
  what: 'join a new session keyring',
};

function boundingSteps(chosen: bigint, last: number): Step[] {
  const steps: Step[] = [];
  for (let bit = 0; bit <= last; bit += 1) {
    if ((chosen >> BigInt(bit)) & 1n) continue;
    steps.push({ call: 'prctl', args: [PR.CAPBSET_DROP, bit], what: 'limit the bounding set' });
  }
  return steps;
}

function groupStep(groups: readonly number[]): Step {
  const list = Buffer.alloc(groups.length * 4); // gid_t
  for (const [index, group] of groups.entries()) list.writeUInt32LE(group, index * 4);
  return { call: 'setgroups', args: [groups.length, list], what: 'set the groups' };
}
