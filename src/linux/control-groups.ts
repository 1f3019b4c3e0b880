import { parseMounts } from './mount-info.ts';
import type { MountEntry } from './mount-info.ts';

/** A controller of resources, by its name in both versions of control groups. */
export type Controller = 'cpu' | 'cpuset' | 'memory' | 'pids';

/** Where one controller is in reach. */
export interface ControllerPlace {
  version: 1 | 2;
  /** Where its hierarchy is mounted, absolute. */
  mount: string;
  /** The group that this process is in, absolute; undefined if the mount does not show it. */
  own: string | undefined;
}

export interface ControlGroupSources {
  /** Of /proc/self. */
  mountinfo: string;
  cgroup: string;
  /** Answers with the text of a file, '' if there is none. */
  read: (path: string) => string;
}

/**
 * Finds the hierarchy of each controller: version 1 where it is mounted as such, else version 2 if that has it. A machine may have
 * both at once. https://docs.kernel.org/admin-guide/cgroup-v2.html, https://man7.org/linux/man-pages/man7/cgroups.7.html
 */
export function findControllers({ mountinfo, cgroup, read }: ControlGroupSources): Map<Controller, ControllerPlace> {
  const mounts = parseMounts(mountinfo);
  const paths = new Map(cgroup.split('\n').flatMap(parseMembership));
  const places = new Map<Controller, ControllerPlace>();
  for (const controller of CONTROLLERS) {
    const first = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
    const second = mounts.find(({ type, point }) => type === 'cgroup2' && hasController(read, point, controller));
    const found = first ?? second;
    if (found === undefined) continue;
    const version = found === first ? 1 : 2;
    const own = ownGroup(found, paths.get(version === 1 ? controller : ''));
    places.set(controller, { version, mount: found.point, own });
  }
  return places;
}

/** Every hierarchy that is mounted, at the first of the places where it is. A runtime puts a container into all of them. */
export function findHierarchies({ mountinfo, cgroup }: Omit<ControlGroupSources, 'read'>): ControllerPlace[] {
  const mounts = parseMounts(mountinfo);
  const places = new Map<string, ControllerPlace>();
  for (const [name, path] of cgroup.split('\n').flatMap(parseMembership)) {
    const version = name === '' ? 2 : 1;
    const found = mounts.find(({ type, options }) =>
      version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.includes(name),
    );
    if (found === undefined) continue; // not mounted
    places.set(found.point, { version, mount: found.point, own: ownGroup(found, path) });
  }
  return [...places.values()];
}

const CONTROLLERS: readonly Controller[] = ['cpu', 'cpuset', 'memory', 'pids'];

/** `4:memory:/path`, `0::/path`: one pair for each controller, '' for version 2. */
function parseMembership(line: string): [string, string][] {
  const [, names = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
  return path === '' ? [] : names.split(',').map((name) => [name, path]);
}

function hasController(read: (path: string) => string, mount: string, controller: Controller): boolean {
  return read(`${mount}/cgroup.controllers`).trim().split(/\s+/).includes(controller);
}

function ownGroup({ root, point: mount }: MountEntry, path: string | undefined): string | undefined {
  if (path === undefined || path.split('/').includes('..')) return undefined; // outside of what a namespace shows
  if (root === '/') return path === '/' ? mount : mount + path;
  if (path === root) return mount;
  return path.startsWith(`${root}/`) ? mount + path.slice(root.length) : undefined;
}
