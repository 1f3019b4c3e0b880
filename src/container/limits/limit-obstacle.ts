import { sudoFor } from '../../linux/obstacles.ts';
import type { Obstacle } from '../../linux/obstacles.ts';
import type { Controller } from '../../linux/control-groups.ts';

export interface LimitFacts {
  controller: Controller;
  /** Of control groups; undefined where this machine does not have the controller. */
  version: 1 | 2 | undefined;
  /** Of the caller. */
  uid: number;
  /** systemd runs this machine. */
  systemd: boolean;
  /** The control groups are mounted read-only. */
  readOnly: boolean;
}

/** Why limits of a controller cannot be enforced for this user, and what mends it. */
export function limitObstacle(facts: LimitFacts): Obstacle {
  const { controller, version, uid, systemd, readOnly } = facts;
  if (version === undefined) {
    const boot =
      controller === 'memory' ? 'cgroup_enable=memory on its command line' : `the controller "${controller}"`;
    return {
      cause: `This machine has no controller "${controller}", or hides it from this container`,
      remedy: `boot a kernel with ${boot}; inside another container, start that with --privileged`,
    };
  }
  if (readOnly) {
    return {
      cause: 'The control groups are mounted read-only, as in another container',
      remedy:
        'start that container with --privileged, or as docker with --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw',
    };
  }
  if (uid === 0) {
    return { cause: 'This process may not write to its control group', remedy: 'run it as root of the machine' };
  }
  if (version === 1) {
    return {
      cause: 'Version 1 of control groups cannot be handed to ordinary users',
      remedy: 'run mydocker as root, or boot with systemd.unified_cgroup_hierarchy=1 on the command line of the kernel',
    };
  }
  return { cause: 'The control group of this process is not handed to this user', remedy: delegation(facts, systemd) };
}

/** https://systemd.io/CGROUP_DELEGATION/: users are given memory and pids; what else is to be delegated has to be said. */
function delegation({ controller, uid }: LimitFacts, systemd: boolean): string {
  if (!systemd) return 'run mydocker as root, or have root hand a control group to this user';
  const scope = 'systemd-run --user --scope -p Delegate=yes mydocker run …';
  if (controller === 'memory' || controller === 'pids') return scope;
  const sudo = sudoFor(uid);
  return (
    `${sudo}mkdir -p ${FOLDER} && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | ` +
    `${sudo}tee ${FOLDER}/delegate.conf && ${sudo}systemctl daemon-reload; log in again, and: ${scope}`
  );
}

const FOLDER = '/etc/systemd/system/user@.service.d';
