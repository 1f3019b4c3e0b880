import { realpathSync } from 'node:fs';
import { findMount } from '../fs/find-mount.ts';
import type { SnapshotDriver } from '../snapshot/mount.ts';

/** Whether nothing can be executed in a container, as its root is a copy where nothing can be. An overlay is a mount of its own. */
export function isNoexecCopy({ name }: SnapshotDriver, folder: string): boolean {
  return name === 'copy' && findMount(realpathSync(folder))?.flags.includes('noexec') === true;
}
