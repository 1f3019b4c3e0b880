import { capabilityBit, capabilityMask, capsetData, capsetHeader } from '../../linux/capabilities.ts';
import type { Capability } from '../../linux/capabilities.ts';
import { PR } from '../../linux/process-flags.ts';
import type { Program, Step } from '../../linux/program.ts';

const NOBODY = 65_534; // user and group, on every distribution

/** Steps of root's that become nobody, and keep some capabilities for the program that is executed next. */
export function nobodySteps(capabilities: readonly Capability[]): Program {
  const what = 'become nobody';
  const mask = capabilityMask(capabilities);
  return [
    { call: 'setgroups', args: [0, 0], what },
    { call: 'prctl', args: [PR.SET_KEEPCAPS, 1], what },
    { call: 'setresgid', args: [NOBODY, NOBODY, NOBODY], what },
    { call: 'setresuid', args: [NOBODY, NOBODY, NOBODY], what },
    {
      call: 'capset',
      args: [capsetHeader(), capsetData({ effective: mask, permitted: mask, inheritable: mask })],
      what,
    },
    ...capabilities.map((name): Step => ({
      call: 'prctl',
      args: [PR.CAP_AMBIENT, PR.CAP_AMBIENT_RAISE, capabilityBit(name), 0, 0],
      what,
    })),
  ];
}
