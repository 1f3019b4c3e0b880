import { printable } from '../../../printable.ts';
import { note, ok, problem } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'apparmorProfile' | 'selinux' | 'legacyTiocsti' | 'keyUsers'> & {
  trials: Pick<MachineFacts['trials'], 'seccomp' | 'keyring'>;
};

export function checkSecurity(facts: Facts): HostFinding[] {
  return [
    facts.trials.seccomp === undefined
      ? ok('seccomp', 'a filter of system calls was set')
      : problem('seccomp', facts.trials.seccomp.problem, {
          remedy:
            'boot a kernel with CONFIG_SECCOMP_FILTER; or, with less protection, run --security-opt seccomp=unconfined',
        }),
    ok('security modules', securityModules(facts)),
    ok('terminal', terminal(facts.legacyTiocsti)),
    ...keyrings(facts),
  ];
}

/** Containers get no profile or label of their own: they keep the caller's. */
function securityModules({ apparmorProfile, selinux }: Pick<Facts, 'apparmorProfile' | 'selinux'>): string {
  const found = [
    ...(apparmorProfile === undefined ? [] : [`AppArmor, this process: ${printable(apparmorProfile) || 'unknown'}`]),
    ...(selinux === '' ? [] : [`SELinux, ${selinux === '1' ? 'enforcing' : 'permissive'}`]),
  ];
  return found.length === 0 ? 'neither AppArmor nor SELinux' : found.join('; ');
}

function terminal(legacyTiocsti: string): string {
  return legacyTiocsti === '0'
    ? 'the kernel lets nobody type into it (dev.tty.legacy_tiocsti is 0)'
    : "the kernel allows TIOCSTI; containers never have the caller's terminal as theirs";
}

function keyrings({ keyUsers, trials: { keyring } }: Facts): HostFinding[] {
  const [, keys, most] = /\s(\d+)\/(\d+)\s+\d+\/\d+\s*$/.exec(keyUsers) ?? [];
  const quota = keys === undefined ? '' : `${keys} of ${most} keys of this user in use`;
  if (keyring !== undefined) {
    return [
      note('keyrings', quota === '' ? keyring.problem : `${keyring.problem} (${quota})`, {
        meaning: "containers have no session keyring of their own: the caller's keys are in their reach",
        remedy: 'where the quota is used up, raise it: sysctl -w kernel.keys.maxkeys=2000; in a sandbox, allow keyctl',
      }),
    ];
  }
  return [ok('keyrings', quota === '' ? 'a session keyring was made' : `a session keyring was made, ${quota}`)];
}
