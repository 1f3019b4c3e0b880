import { checkCaller } from './checks/caller.ts';
import { checkControlGroups } from './checks/control-groups.ts';
import { checkEnvironment } from './checks/environment.ts';
import { checkIdRanges } from './checks/id-ranges.ts';
import { checkKernel } from './checks/kernel.ts';
import { checkKernelViews } from './checks/kernel-views.ts';
import { checkNamespaces } from './checks/namespaces.ts';
import { checkNetworkPrograms } from './checks/network-programs.ts';
import { checkRuntimes } from './checks/runtimes.ts';
import { checkSecurity } from './checks/security.ts';
import { checkStore } from './checks/store.ts';
import type { HostFinding } from './host-finding.ts';
import { ok, problem } from './host-finding.ts';
import type { MachineFacts } from './machine-facts.ts';

/** What the facts mean for containers. Pure. */
export function judgeMachine(facts: MachineFacts): HostFinding[] {
  const parts = [
    ...checkKernel(facts),
    ...checkCaller(facts),
    ...checkNamespaces(facts),
    ...checkIdRanges(facts),
    ...checkKernelViews(facts),
    ...checkSecurity(facts),
    ...checkControlGroups(facts),
    ...checkStore(facts),
    ...checkNetworkPrograms(facts),
    ...checkRuntimes(facts),
    ...checkEnvironment(facts),
  ];
  return [...parts, ...checkContainer(facts, parts)];
}

/** Whether all of it works together; the parts most often say why it does not. */
function checkContainer({ store, trials: { container } }: MachineFacts, parts: readonly HostFinding[]): HostFinding[] {
  if (store.refusal !== undefined) return []; // was not tried
  if (container === undefined) return [ok('container', 'one was set up, up to its first program')];
  const isExplained = parts.some(({ state }) => state === 'problem');
  return [problem('container', container.problem, { remedy: isExplained ? undefined : container.remedy })];
}
