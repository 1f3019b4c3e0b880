import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ToolError } from '../../errors.ts';
import { findHierarchies } from '../../linux/control-groups.ts';
import type { ControllerPlace } from '../../linux/control-groups.ts';
import { createGroup, PARENT, removeGroups } from '../limits/create-group.ts';
import type { ContainerGroup } from '../limits/create-group.ts';
import type { ResourceLimits } from '../limits/resource-limits.ts';

/** Where a runtime puts a container, and how it comes to find these places where it looks for them. */
export interface RuntimeGroups {
  /** For config.json. Undefined for an ordinary user's container without limits: it stays where its caller is. */
  path: string | undefined;
  /** Folders of groups that the runtime may make, absolute. */
  folders: readonly string[];
  /** Groups to bind over the mounts of their hierarchies, in the runtime's own view. */
  binds: readonly { group: string; mount: string }[];
  /** Mounts to hide in it. */
  hidden: readonly string[];
}

/**
 * Makes the control groups for a container that a runtime runs. Limits are set here, as for every container, so that one that cannot
 * be enforced is an error; the runtime finds the group and puts the container into it, but not itself.
 * @throws {ToolError} ERR_HOST; nothing is left then
 */
export async function createRuntimeGroup(
  id: string,
  limits: ResourceLimits,
  { rootless }: { rootless: boolean },
): Promise<{ groups: RuntimeGroups; group: ContainerGroup }> {
  const hierarchies = findHierarchies({
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
    cgroup: readFileSync('/proc/self/cgroup', 'utf8'),
  });
  const limited = createGroup(id, limits);
  try {
    const groups = chooseGroups(hierarchies, { id, rootless, limited: limited?.folders ?? [] });
    const folders = [...new Set([...(limited?.folders ?? []), ...groups.folders])];
    return { groups, group: { folders, oomKills: () => limited?.oomKills() ?? 0 } };
  } catch (error) {
    await removeGroups(limited?.folders ?? []);
    throw error;
  }
}

interface GroupChoice {
  id: string;
  rootless: boolean;
  /** Folders of the groups that have limits. */
  limited: readonly string[];
}

/**
 * A runtime takes one path for all hierarchies. In version 1 the caller may be in another group in each: so each appears to begin
 * with that group. Version 2 beside version 1 ("hybrid") is hidden: crun refuses to run there, and nothing in it is limited.
 */
export function chooseGroups(hierarchies: readonly ControllerPlace[], choice: GroupChoice): RuntimeGroups {
  const { id, rootless, limited } = choice;
  const first = hierarchies.filter(({ version }) => version === 1);
  const second = hierarchies.filter(({ version }) => version === 2);
  if (first.length === 0) return inSecond(second[0], choice);
  const hidden = second.map(({ mount }) => mount);
  if (rootless && limited.length === 0) return { path: undefined, folders: [], binds: [], hidden };
  const placed = first.flatMap(({ mount, own }) => (own === undefined ? [] : [{ group: own, mount }]));
  const folders = placed.map(({ group }) => join(group, PARENT, id));
  if (rootless || limited.some((folder) => !folders.includes(folder))) throw unenforceable();
  return {
    path: `/${PARENT}/${id}`,
    folders,
    binds: placed.filter(({ group, mount }) => group !== mount),
    hidden,
  };
}

function inSecond(place: ControllerPlace | undefined, { id, rootless, limited }: GroupChoice): RuntimeGroups {
  const own = place?.own === undefined || rootless ? [] : [join(place.own, PARENT, id)];
  const folders = limited.length === 0 ? own : limited;
  return { path: folders[0]?.slice(place?.mount.length), folders, binds: [], hidden: [] };
}

function unenforceable(): ToolError {
  return new ToolError(
    'ERR_HOST',
    'Cannot enforce limits with an OCI runtime: not all of them are in reach of this user',
    {
      hint: 'Run as root or on a machine with version 2 of control groups alone, or leave out --runtime.',
    },
  );
}
