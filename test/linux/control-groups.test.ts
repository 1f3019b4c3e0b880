import { describe, expect, it } from 'vitest';

import { findControllers } from '../../src/linux/control-groups.ts';

const V1 =
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n' +
  '35 31 0:32 / /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory\n';
const V2 = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n';

function find(mountinfo: string, cgroup: string, controllers = ''): Record<string, unknown> {
  const read = (path: string): string => (path.endsWith('/cgroup.controllers') ? controllers : '');
  return Object.fromEntries(findControllers({ mountinfo, cgroup, read }));
}

describe('findControllers()', () => {
  it('finds version 1 by the options of its mounts', () => {
    expect(find(V1, '4:memory:/a/b\n1:cpu,cpuacct:/\n')).toEqual({
      cpu: { version: 1, mount: '/sys/fs/cgroup/cpu,cpuacct', own: '/sys/fs/cgroup/cpu,cpuacct' },
      memory: { version: 1, mount: '/sys/fs/cgroup/my memory', own: '/sys/fs/cgroup/my memory/a/b' },
    });
  });

  it('takes version 2 for what version 1 does not have', () => {
    expect(find(V1 + V2, '4:memory:/\n1:cpu,cpuacct:/\n0::/user.slice\n', 'cpuset memory pids\n')).toMatchObject({
      memory: { version: 1 },
      pids: { version: 2, own: '/sys/fs/cgroup/unified/user.slice' },
      cpuset: { version: 2 },
    });
  });

  it('counts paths from the root of the mount, as inside a container', () => {
    const mounted = '41 31 0:38 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n';
    expect(find(mounted, '0::/docker/x/y\n', 'pids')['pids']).toMatchObject({ own: '/sys/fs/cgroup/y' });
    expect(find(mounted, '0::/docker/x\n', 'pids')['pids']).toMatchObject({ own: '/sys/fs/cgroup' });
    expect(find(mounted, '0::/docker/xy\n', 'pids')['pids']).toMatchObject({ own: undefined });
    expect(find(mounted, '0::/../z\n', 'pids')['pids']).toMatchObject({ own: undefined });
  });

  it('finds nothing where nothing is', () => {
    expect(find('', '')).toEqual({});
    expect(find('36 35 98:0 / / rw - ext4 /dev/root rw\nnonsense', 'nonsense')).toEqual({});
  });
});
