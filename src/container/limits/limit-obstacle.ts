import type { Controller } from '../../linux/control-groups.ts';
import { sudoFor } from '../../linux/obstacles.ts';
import type { Obstacle } from '../../linux/obstacles.ts';

export interface LimitFacts {
  controller: Controller;
  /**
   * - missing: there is no such controller in sight;
   * - hidden: there is, but its mount does not show the group of this process;
   * - read-only: the file system is;
   * - denied: this user may not write there.
   */
  trouble: 'missing' | 'hidden' | 'read-only' | 'denied';
  /** Of control groups. */
  version: 1 | 2;
  /** Of the caller. */
  uid: number;
  /** systemd runs this machine. */
  systemd: boolean;
}

/** Why limits of a controller cannot be enforced for this user, and what mends it. */
export function limitObstacle(facts: LimitFacts): Obstacle {
  switch (facts.trouble) {
    case 'missing':
      return {
        cause: 'The kernel has no such controller, or it is not in sight, as in another container',
        remedy:
          'start that container with -v /sys/fs/cgroup:/sys/fs/cgroup; on the machine itself, boot with cgroup_enable=memory ' +
          'on the command line of the kernel',
      };
    case 'hidden':
      return {
        cause: 'The control group of this process is out of sight, as in another container with a cgroup namespace',
        remedy: 'start that container with --cgroupns=host (docker, podman)',
      };
    case 'read-only':
      return {
        cause: 'The control groups are mounted read-only, as in another container',
        remedy: 'start that container with --privileged -v /sys/fs/cgroup:/sys/fs/cgroup',
      };
    case 'denied':
      return deniedObstacle(facts);
  }
}

function deniedObstacle({ controller, version, uid, systemd }: LimitFacts): Obstacle {
  if (uid === 0) {
    return { cause: 'This process may not write to its control group', remedy: 'run it as root of the machine' };
  }
  if (version === 1) {
    return {
      cause: 'Version 1 of control groups cannot be handed to ordinary users',
      remedy: 'run mydocker as root, or boot with systemd.unified_cgroup_hierarchy=1 on the command line of the kernel',
    };
  }
  const cause = 'The control group of this process is not handed to this user';
  if (!systemd) return { cause, remedy: 'run mydocker as root, or have root hand a control group to this user' };
  return { cause, remedy: `${isDelegated(controller) ? '' : delegate(uid)}${SCOPE}` };
}

const SCOPE = 'systemd-run --user --scope -p Delegate=yes mydocker run …';

/** What systemd hands to users unless it is told otherwise: user@.service, https://systemd.io/CGROUP_DELEGATION/ */
function isDelegated(controller: Controller): boolean {
  return controller === 'memory' || controller === 'pids';
}

function delegate(uid: number): string {
  const sudo = sudoFor(uid);
  const folder = '/etc/systemd/system/user@.service.d';
  return (
    `${sudo}mkdir -p ${folder} && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | ` +
    `${sudo}tee ${folder}/delegate.conf && ${sudo}systemctl daemon-reload; then log in again, and: `
  );
}
