import { describe, expect, it } from 'vitest';

import { chooseGroups } from '../../../src/container/oci-bundle/runtime-groups.ts';
import { findHierarchies } from '../../../src/linux/control-groups.ts';
import type { ControllerPlace } from '../../../src/linux/control-groups.ts';

const V1: ControllerPlace[] = [
  { version: 1, mount: '/cg/memory', own: '/cg/memory/mine' },
  { version: 1, mount: '/cg/pids', own: '/cg/pids' },
  { version: 1, mount: '/cg/cpu', own: undefined }, // out of sight
];
const HYBRID: ControllerPlace[] = [...V1, { version: 2, mount: '/cg/unified', own: '/cg/unified' }];
const V2: ControllerPlace[] = [{ version: 2, mount: '/cg', own: '/cg/user.slice/session' }];

function choose(hierarchies: ControllerPlace[], rootless: boolean, limited: string[] = []): unknown {
  return chooseGroups(hierarchies, { id: 'ID', rootless, limited });
}

describe('chooseGroups()', () => {
  it('lets each hierarchy of version 1 begin with the group of the caller', () => {
    expect(choose(HYBRID, false, ['/cg/memory/mine/mydocker/ID'])).toEqual({
      path: '/mydocker/ID',
      folders: ['/cg/memory/mine/mydocker/ID', '/cg/pids/mydocker/ID'],
      binds: [{ group: '/cg/memory/mine', mount: '/cg/memory' }],
      hidden: ['/cg/unified'],
    });
  });

  it('names the group of version 2 that has the limits, or one in the group of the caller', () => {
    const nothing = { binds: [], hidden: [] };
    const limited = '/cg/user.slice/mydocker/ID'; // beside the caller's
    expect(choose(V2, false, [limited])).toEqual({ path: '/user.slice/mydocker/ID', folders: [limited], ...nothing });
    expect(choose(V2, true, [limited])).toMatchObject({ path: '/user.slice/mydocker/ID' });
    expect(choose(V2, false)).toEqual({
      path: '/user.slice/session/mydocker/ID',
      folders: ['/cg/user.slice/session/mydocker/ID'],
      ...nothing,
    });
  });

  it('leaves the container of an ordinary user where it is, without limits', () => {
    expect(choose(HYBRID, true)).toEqual({ path: undefined, folders: [], binds: [], hidden: ['/cg/unified'] });
    expect(choose(V2, true)).toEqual({ path: undefined, folders: [], binds: [], hidden: [] });
    expect(choose([], false)).toEqual({ path: undefined, folders: [], binds: [], hidden: [] });
  });

  it.each([
    ['of an ordinary user in version 1', true, '/cg/pids/mydocker/ID'],
    ['in version 2 beside version 1', false, '/cg/unified/mydocker/ID'],
  ])('refuses limits that the runtime would lose: %s', (_name, rootless, folder) => {
    expect(() => choose(HYBRID, rootless, [folder])).toThrow(/^Cannot enforce limits with an OCI runtime/);
  });
});

describe('findHierarchies()', () => {
  it('finds each hierarchy once, with the group of the caller in it', () => {
    const mountinfo =
      '32 31 0:29 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n' +
      '33 31 0:30 /a /cg/memory rw - cgroup cgroup rw,memory\n' +
      '34 31 0:31 / /cg/systemd rw - cgroup cgroup rw,name=systemd\n' +
      '35 31 0:32 / /cg/unified rw - cgroup2 cgroup2 rw\n' +
      '99 98 0:29 / /elsewhere/cpu rw - cgroup cgroup rw,cpu,cpuacct\n';
    const cgroup = '4:memory:/a/b\n3:name=systemd:/s\n2:freezer:/f\n1:cpu,cpuacct:/c\n0::/u\n';
    expect(findHierarchies({ mountinfo, cgroup })).toEqual([
      { version: 1, mount: '/cg/memory', own: '/cg/memory/b' },
      { version: 1, mount: '/cg/systemd', own: '/cg/systemd/s' },
      { version: 1, mount: '/cg/cpu,cpuacct', own: '/cg/cpu,cpuacct/c' },
      { version: 2, mount: '/cg/unified', own: '/cg/unified/u' },
    ]);
  });
});
