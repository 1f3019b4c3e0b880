import type { Controller } from '../../../linux/control-groups.ts';
import { note, ok } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'controlGroups'> & { trials: Pick<MachineFacts['trials'], 'limits'> };

/** Containers run without limits; one that is asked for and cannot be enforced is an error. */
export function checkControlGroups({ controlGroups, trials }: Facts): HostFinding[] {
  const enforced = FLAGS.filter(([, controller]) => trials.limits[controller] === undefined).map(([flag]) => flag);
  return [
    versions(controlGroups),
    ...(enforced.length === 0 ? [] : [ok('limits', `${enforced.join(', ')} can be enforced`)]),
    ...refusals(trials.limits),
  ];
}

const FLAGS: readonly (readonly [flag: string, controller: Controller])[] = [
  ['--memory', 'memory'],
  ['--cpus', 'cpu'],
  ['--cpuset-cpus', 'cpuset'],
  ['--pids-limit', 'pids'],
];

function versions(controlGroups: Facts['controlGroups']): HostFinding {
  const found = ([1, 2] as const).flatMap((version) => {
    const names = [...controlGroups].filter(([, its]) => its === version).map(([name]) => name);
    return names.length === 0 ? [] : [`version ${version}: ${names.join(', ')}`];
  });
  return ok('control groups', found.length === 0 ? 'no controller' : found.join('; '));
}

/** A finding for each reason, as most often there is one for all. */
function refusals(limits: Facts['trials']['limits']): HostFinding[] {
  const byReason = new Map<string, { flags: string[]; remedy: string | undefined }>();
  for (const [flag, controller] of FLAGS) {
    const refusal = limits[controller];
    if (refusal === undefined) continue;
    const reason = refusal.problem.replace(/^[^:]*: /, ''); // what stands before it names the flag
    const known = byReason.get(reason) ?? { flags: [], remedy: refusal.remedy };
    byReason.set(reason, { ...known, flags: [...known.flags, flag] });
  }
  return [...byReason].map(([reason, { flags, remedy }]) =>
    note('limits', `${flags.join(', ')} cannot be enforced: ${reason}`, {
      meaning: 'a run with such a limit is refused, all others work',
      remedy,
    }),
  );
}
