import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ToolError } from '../../errors.ts';
import { hasErrno } from '../../fs/disk-error.ts';
import { errnoNumber, errnoText } from '../../linux/errno.ts';
import type { Errno } from '../../linux/errno.ts';
import { obstacleText } from '../../linux/obstacles.ts';
import { findControllers } from '../../linux/control-groups.ts';
import type { Controller, ControllerPlace } from '../../linux/control-groups.ts';
import { groupSettings } from './group-settings.ts';
import type { GroupSetting } from './group-settings.ts';
import { limitObstacle } from './limit-obstacle.ts';
import type { LimitFacts } from './limit-obstacle.ts';
import type { ResourceLimits } from './resource-limits.ts';

/** The control groups of one container: one for each hierarchy that a limit needs. */
export interface ContainerGroup {
  /** Absolute; removed when nothing runs in them any more. */
  folders: readonly string[];
  /** How often the kernel has ended a process of it for want of memory. */
  oomKills(): number;
}

/** What a folder in a hierarchy is for: the group of all containers of a caller, and in it one for each. */
export const PARENT = 'mydocker';

/**
 * Makes the control groups that enforce `limits`, inside the group of this process, so that its own limits hold as well.
 * Undefined if there is nothing to limit.
 * @throws {ToolError} ERR_HOST for a limit that cannot be enforced here; nothing is left then
 */
export function createGroup(id: string, limits: ResourceLimits): ContainerGroup | undefined {
  if (Object.values(limits).every((limit) => limit === undefined)) return undefined; // most runs: nothing is looked at
  const places = findControllers({
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
    cgroup: readFileSync('/proc/self/cgroup', 'utf8'),
    read: readIfThere,
  });
  return createGroupIn(places, id, limits);
}

/** `createGroup` for hierarchies that are found already. */
export function createGroupIn(
  places: ReadonlyMap<Controller, ControllerPlace>,
  id: string,
  limits: ResourceLimits,
): ContainerGroup | undefined {
  const settings = groupSettings(limits, (controller) => places.get(controller)?.version ?? 2);
  if (settings.length === 0) return undefined;
  const folders = new Map<Controller, string>();
  try {
    for (const setting of settings) {
      const folder = folders.get(setting.controller) ?? makeGroup(placeOf(places, setting), id, setting);
      folders.set(setting.controller, folder);
      applySetting(folder, { ...setting, version: places.get(setting.controller)?.version });
    }
  } catch (error) {
    for (const folder of folders.values()) removeGroup(folder);
    throw error;
  }
  const memory = folders.get('memory');
  return {
    folders: [...new Set(folders.values())],
    oomKills: () => (memory === undefined ? 0 : readOomKills(memory)),
  };
}

/** Removes groups in which nothing runs. One that is not there, or not empty yet, is nothing to report. */
export async function removeGroups(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    // A process lets go of its files, and with them of locks, a moment before it lets go of its groups.
    for (let tries = 1; tries < MAX_TRIES && !removeGroup(folder); tries += 1) await setTimeout(RETRY_MS);
    removeGroup(dirname(folder)); // when this was the last
  }
}

const MAX_TRIES = 100;
const RETRY_MS = 5;

/** False if something runs in it. */
function removeGroup(folder: string): boolean {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (hasErrno(error, 'EBUSY')) return false;
    if (!hasErrno(error, 'ENOENT', 'ENOTEMPTY', 'EACCES', 'EPERM', 'EROFS')) throw error;
  }
  return true;
}

function placeOf(places: ReadonlyMap<Controller, ControllerPlace>, { controller, flag }: GroupSetting): Placed {
  const place = places.get(controller);
  if (place === undefined)
    throw unenforceable({ flag, controller, trouble: 'missing' }, 'there is no controller for it');
  const { own, version } = place;
  if (own === undefined) {
    const asked = { flag, controller, version, trouble: 'hidden' } as const;
    throw unenforceable(asked, 'the control group of this process is out of sight');
  }
  return { ...place, own };
}

type Placed = ControllerPlace & { own: string };

function makeGroup(place: Placed, id: string, setting: GroupSetting): string {
  let folder: string | undefined;
  try {
    const parent = place.version === 1 ? place.own : unlimitedParent(place, setting);
    folder = join(parent, PARENT, id);
    for (const path of [dirname(folder), folder]) makeFolder(path);
    if (place.version === 2) for (const above of [parent, dirname(folder)]) enable(above, setting.controller);
    else if (setting.controller === 'cpuset') inheritCpuset(parent, folder);
    return folder;
  } catch (error) {
    for (const path of folder === undefined ? [] : [folder, dirname(folder)]) removeGroup(path);
    // What the kernel says to a controller that the group above does not hand down.
    const trouble = hasErrno(error, 'ENOENT') ? 'denied' : troubleOf(error);
    throw unenforceable({ ...setting, version: place.version, trouble }, reasonOf(error), error);
  }
}

/** Not `recursive`, with which Node says of a read-only file system that there is no such folder. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
}

/**
 * In version 2 a group that has processes can have no groups with controllers, except the root. So the container's group stands
 * beside that of this process if this user may make one there, else this process moves into a group of its own below.
 */
function unlimitedParent({ own, mount }: Placed, { controller }: GroupSetting): string {
  if (own === mount) return own;
  const above = dirname(own);
  try {
    enableDownTo(above, mount, controller);
    return above;
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
  }
  const leaf = join(own, `${PARENT}-supervisor`);
  makeFolder(leaf);
  writeFileSync(join(leaf, 'cgroup.procs'), String(process.pid));
  return own;
}

/** A group has the controllers that the one above hands down. */
function enableDownTo(folder: string, mount: string, controller: Controller): void {
  if (folder !== mount) enableDownTo(dirname(folder), mount, controller);
  enable(folder, controller);
}

function enable(folder: string, controller: Controller): void {
  const file = join(folder, 'cgroup.subtree_control');
  if (readIfThere(file).trim().split(/\s+/).includes(controller)) return;
  writeFileSync(file, `+${controller}`);
}

/** In version 1 a new group has no processors and no memory nodes, and can hold no process, until it is given some. */
function inheritCpuset(parent: string, folder: string): void {
  for (const group of [dirname(folder), folder]) {
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (readIfThere(join(group, file)).trim() === '') {
        writeFileSync(join(group, file), readFileSync(join(parent, file), 'utf8').trim());
      }
    }
  }
}

function applySetting(folder: string, setting: GroupSetting & Pick<Unenforceable, 'version'>): void {
  const { controller, file, value, isImplied } = setting;
  const path = join(folder, file);
  // A kernel that does not account for swap has nothing to limit there, unless somebody counts on it.
  if (isImplied === true && !existsSync(path)) return;
  try {
    writeFileSync(path, value, { flag: 'r+' });
  } catch (error) {
    throw unenforceable(setting, `"${value}" for ${controller}: ${reasonOf(error)}`, error);
  }
}

/** `oom_kill 3`, in the memory.events of version 2 and in the memory.oom_control of version 1. */
function readOomKills(folder: string): number {
  const text = readIfThere(join(folder, 'memory.events')) + readIfThere(join(folder, 'memory.oom_control'));
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? (String(error.code) as Errno) : undefined;
  return code === undefined ? String(error) : errnoText(errnoNumber(code));
}

interface Unenforceable extends Pick<LimitFacts, 'controller'> {
  /** That asks for the limit. */
  flag: string;
  version?: 1 | 2 | undefined;
  /** Whatever `cause` tells, unless given. */
  trouble?: LimitFacts['trouble'] | undefined;
}

function unenforceable(asked: Unenforceable, reason: string, cause?: unknown): ToolError {
  const { flag, controller, version = 2, trouble = troubleOf(cause) } = asked;
  const message = `Cannot enforce ${flag}: ${reason}`;
  if (trouble === undefined) return new ToolError('ERR_HOST', message, { cause });
  const systemd = existsSync(SYSTEMD);
  const obstacle = limitObstacle({ controller, trouble, version, uid: process.geteuid?.() ?? 0, systemd });
  return new ToolError('ERR_HOST', message, { hint: obstacleText(obstacle), cause });
}

/** Undefined where the kernel takes limits, but not this one. */
function troubleOf(error: unknown): LimitFacts['trouble'] | undefined {
  if (hasErrno(error, 'EROFS')) return 'read-only';
  return hasErrno(error, 'EACCES', 'EPERM') ? 'denied' : undefined;
}

/** Made by systemd where it runs the machine: sd_booted(3). */
const SYSTEMD = '/run/systemd/system';
