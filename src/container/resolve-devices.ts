import { readdirSync, statSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { posix } from 'node:path';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { ContainerOptions } from './container-options.ts';
import type { UserMount } from './steps/volumes.ts';

/**
 * The devices of the host that a container gets besides those that all get: those that are named, and with `privileged` all.
 * @throws {ToolError} ERR_CONTAINER for a path that is no device
 */
export function resolveDevices({ devices = [], privileged = false }: ContainerOptions): UserMount[] {
  const named = new Map(devices.map(({ source, target }) => [target, source]));
  for (const path of privileged ? allDevices() : []) if (!named.has(path)) named.set(path, path);
  for (const { source } of devices) checkDevice(source);
  return [...named].map(([target, source]) => ({
    kind: 'volume',
    source,
    sourceKind: 'device',
    target,
    readOnly: false,
  }));
}

function checkDevice(source: string): void {
  const stats = statSync(source, { throwIfNoEntry: false });
  if (stats?.isCharacterDevice() === true || stats?.isBlockDevice() === true) return;
  const reason = stats === undefined ? 'no such file or directory' : 'it is not a device';
  throw new ToolError('ERR_CONTAINER', `Cannot use device "${printable(source)}": ${reason}`);
}

/** Those that every container has in a form of its own, or that are names for what the container has itself. */
const OWN = new Set(['console', 'full', 'mqueue', 'null', 'ptmx', 'pts', 'random', 'shm', 'tty', 'urandom', 'zero']);
const MAX_DEVICES = 2000;

function allDevices(): string[] {
  const found: string[] = [];
  const folders = ['/dev'];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of entriesOf(folder)) {
      const path = posix.join(folder, entry.name);
      if (folder === '/dev' && OWN.has(entry.name)) continue;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isCharacterDevice() || entry.isBlockDevice()) found.push(path);
    }
  }
  return found.toSorted().slice(0, MAX_DEVICES);
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // not for this user
  }
}
