import { describe, expect, it } from 'vitest';
import { limitObstacle, type LimitFacts } from '../../../src/container/limits/limit-obstacle.ts';

const SCOPE = 'systemd-run --user --scope -p Delegate=yes mydocker run …';
const DROP_IN =
  'sudo mkdir -p /etc/systemd/system/user@.service.d && ' +
  "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && " +
  `sudo systemctl daemon-reload; then log in again, and: ${SCOPE}`;

describe('limitObstacle()', () => {
  const user = { controller: 'memory', trouble: 'denied', version: 2, uid: 1000, systemd: true } as const;

  it.each<[string, Partial<LimitFacts>, string | RegExp]>([
    ['memory, which systemd hands to users', {}, SCOPE],
    ['pids, which systemd hands to users', { controller: 'pids' }, SCOPE],
    ['cpu, which it does not', { controller: 'cpu' }, DROP_IN],
    ['cpuset, which it does not', { controller: 'cpuset' }, DROP_IN],
    ['no systemd', { systemd: false }, /^run mydocker as root, or have root hand/],
    ['version 1', { version: 1 }, /^run mydocker as root, or boot with systemd\.unified_cgroup_hierarchy=1/],
    ['root of a container', { uid: 0 }, 'run it as root of the machine'],
    [
      'a read-only file system',
      { trouble: 'read-only', uid: 0 },
      /--privileged -v \/sys\/fs\/cgroup:\/sys\/fs\/cgroup/,
    ],
    ['a group out of sight', { trouble: 'hidden' }, /--cgroupns=host/],
    ['no controller', { trouble: 'missing' }, /-v \/sys\/fs\/cgroup:\/sys\/fs\/cgroup;.*cgroup_enable=memory/],
  ])('has a remedy for %s', (_title, facts, remedy) => {
    const found = limitObstacle({ ...user, ...facts }).remedy;
    if (typeof remedy === 'string') expect(found).toBe(remedy);
    else expect(found).toMatch(remedy);
  });
});
