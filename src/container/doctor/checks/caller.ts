import { parseMounts } from '../../../linux/mount-info.ts';
import { NO_NEW_PRIVILEGES } from '../../../linux/obstacles.ts';
import { printable } from '../../../printable.ts';
import { note, ok } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'host' | 'outerContainer' | 'mountinfo'>;

/** What this process runs in, and with what rights. */
export function checkCaller({ host, outerContainer, mountinfo }: Facts): HostFinding[] {
  return [
    surroundings({ host, outerContainer, mountinfo }),
    host.noNewPrivileges
      ? note('new privileges', 'this process runs with no_new_privs, and so do its containers', {
          meaning: 'set-user-ID programs in them, such as su, get no privileges',
          remedy: NO_NEW_PRIVILEGES.remedy,
        })
      : ok('new privileges', 'can be had'),
  ];
}

function surroundings({ host, outerContainer, mountinfo }: Facts): HostFinding {
  if (!parseMounts(mountinfo).some(({ point }) => point === '/')) {
    const meaning = 'the kernel creates no user namespaces there';
    return note('surroundings', 'a chroot', { meaning, remedy: 'run mydocker outside of it' });
  }
  const found = [
    ...(outerContainer === undefined ? [] : [`inside a container (${printable(outerContainer)})`]),
    ...(host.initialUserNamespace ? [] : ['in a user namespace']),
    ...(host.isFiltered ? ['behind a filter of system calls (seccomp)'] : []),
  ];
  return ok('surroundings', found.length === 0 ? 'no container, no filter of system calls' : found.join(', '));
}
