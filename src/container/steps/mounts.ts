import {
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  MOUNT_ATTR_SIZE,
  MOVE_MOUNT,
  OPEN_TREE,
  mountAttr,
} from '../../linux/mount-flags.ts';
import { AT } from '../../linux/path-flags.ts';
import type { Errno } from '../../linux/errno.ts';
import type { Arg, Step } from '../../linux/program.ts';

// Every mount of a container is made detached, as a descriptor that no path leads to, and then moved onto a target that is a
// descriptor too. No path is ever walked twice, so there is nothing to swap between a check and its use (CVE-2021-30465,
// CVE-2025-31133), and what has to be made with a view of the host is made before the root changes.

export interface NewMount {
  type: string;
  /** What /proc/mounts shows as its source; `none` if not given. */
  source?: string | undefined;
  /** Options of the file system, in order. */
  options?: readonly (readonly [key: string, value: string])[] | undefined;
  /** MOUNT_ATTR flags. */
  attributes: number;
  /** Name under which later steps get the mount. */
  save: string;
  what: string;
  /** Errors after which the set-up goes on without this mount: what uses it later then fails with EBADF. */
  ignore?: readonly Errno[] | undefined;
}

/** A mount of a new file system, attached nowhere. */
export function newMount({ type, source, options = [], attributes, save, what, ignore = [] }: NewMount): Step[] {
  const context = { result: `${save} context` };
  const ignored = ignore.length === 0 ? [] : [...ignore, ...FOLLOWING];
  return [
    { call: 'fsopen', args: [type, FSOPEN.CLOEXEC], save: context.result, ignore, what },
    ...[...(source === undefined ? [] : [['source', source] as const]), ...options].map(([key, value]): Step => ({
      call: 'fsconfig',
      args: [context, FSCONFIG.SET_STRING, key, value],
      ignore: ignored,
      what,
    })),
    { call: 'fsconfig', args: [context, FSCONFIG.CMD_CREATE], ignore: ignored, what },
    { call: 'fsmount', args: [context, FSMOUNT.CLOEXEC, attributes], save, ignore: ignored, what },
  ];
}

/** What a call says after an ignored failure: the saved descriptor is -1, or the context has no file system in it. */
const FOLLOWING: readonly Errno[] = ['EBADF', 'EINVAL'];

export interface Bind {
  /** A path of the file system that is the root at that moment, a mount that an earlier step saved, or a name inside one. */
  source: string | { result: string } | { within: string; name: string };
  /** With everything that is mounted below the source. */
  recursive: boolean;
  /** MOUNT_ATTR flags that are added to those of the source. */
  attributes: number;
  save: string;
  what: string;
  ignore?: readonly Errno[] | undefined;
}

/** A second view of files that are there already, attached nowhere. */
export function bindMount({ source, recursive, attributes, save, what, ignore = [] }: Bind): Step[] {
  const empty = typeof source === 'object' && 'result' in source ? AT.EMPTY_PATH : 0;
  const flags = empty | OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | (recursive ? AT.RECURSIVE : 0);
  const open: Step = { call: 'open_tree', args: [...placeOf(source), flags], save, ignore, what };
  if (attributes === 0) return [open];
  const change = mountAttr({ set: attributes });
  return [
    open,
    {
      call: 'mount_setattr',
      args: [{ result: save }, '', AT.EMPTY_PATH | (recursive ? AT.RECURSIVE : 0), change, MOUNT_ATTR_SIZE],
      ignore: ignore.length === 0 ? [] : ['EBADF'],
      what,
    },
  ];
}

function placeOf(source: Bind['source']): [Arg, string] {
  if (typeof source === 'string') return [AT.FDCWD, source];
  return 'result' in source ? [source, ''] : [{ result: source.within }, source.name];
}

/** Puts the mount saved as `mount` over what `target` is: a saved descriptor, or a name inside the folder that one is. */
export function attach(request: {
  mount: string;
  target: string;
  name?: string | undefined;
  what: string;
  ignore?: readonly Errno[] | undefined;
}): Step {
  const { mount, target, name, what, ignore } = request;
  const flags = MOVE_MOUNT.F_EMPTY_PATH | (name === undefined ? MOVE_MOUNT.T_EMPTY_PATH : 0);
  return { call: 'move_mount', args: [{ result: mount }, '', { result: target }, name ?? '', flags], ignore, what };
}
