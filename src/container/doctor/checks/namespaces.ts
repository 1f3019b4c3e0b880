import { note, obstructed, ok, problem } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'host' | 'namespaces'> & {
  trials: Pick<MachineFacts['trials'], 'userNamespace' | 'namespaces'>;
};

export function checkNamespaces({ host, namespaces, trials }: Facts): HostFinding[] {
  return [userNamespaces({ host, trials }), ...otherNamespaces({ host, trials }), ...missingKinds(namespaces)];
}

/** What was tried counts: settings may forbid it, and a profile for this program allow it. */
function userNamespaces({ host, trials: { userNamespace } }: Omit<Facts, 'namespaces'>): HostFinding {
  if (host.privileged) return ok('user namespaces', 'not needed: this is root');
  if (userNamespace === undefined) return ok('user namespaces', 'one was created, with its id maps');
  if (host.userNamespaceObstacle !== undefined) return obstructed('user namespaces', host.userNamespaceObstacle);
  return problem('user namespaces', userNamespace.problem, { remedy: userNamespace.remedy });
}

/** All fail where the user namespace does, and for its reason. */
function otherNamespaces({ host, trials }: Omit<Facts, 'namespaces'>): HostFinding[] {
  if (trials.userNamespace !== undefined) return [];
  if (trials.namespaces === undefined)
    return [ok('namespaces', 'mount, UTS, IPC, network, PID and cgroup were created')];
  if (host.userNamespaceObstacle !== undefined) return [obstructed('namespaces', host.userNamespaceObstacle)];
  return [problem('namespaces', trials.namespaces.problem, { remedy: trials.namespaces.remedy })];
}

function missingKinds(namespaces: readonly string[]): HostFinding[] {
  if (namespaces.includes('time')) return [];
  return [
    note('namespaces', 'this kernel has no time namespaces', {
      meaning: "containers see the host's uptime",
      remedy: 'boot a kernel with CONFIG_TIME_NS (Linux 5.6)',
    }),
  ];
}
