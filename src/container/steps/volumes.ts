import { MOUNT_ATTR } from '../../linux/mount-flags.ts';
import { printable } from '../../printable.ts';
import type { MountSteps } from './mount-steps.ts';
import { attach, bindMount, newMount } from './mounts.ts';
import { fileTarget, folderTarget, targetName } from './targets.ts';

/** Something that the user wants mounted. `target` is absolute and normal, and not `/`. */
export type UserMount =
  | {
      kind: 'volume';
      /** Absolute path on the host. */
      source: string;
      /** What the source is: a missing target is made of the same kind. `device` is one that every container may use. */
      sourceKind: 'folder' | 'file' | 'device';
      target: string;
      readOnly: boolean;
    }
  | {
      kind: 'tmpfs';
      target: string;
      /** MOUNT_ATTR flags. */
      attributes: number;
      options: readonly (readonly [key: string, value: string])[];
    };

/** Mounts volumes and tmpfs, folders before what is inside them. */
export function userMountSteps(mounts: readonly UserMount[], nosuid: boolean): MountSteps {
  const ordered = mounts.toSorted((a, b) => depth(a.target) - depth(b.target));
  const parts = ordered.map((mount, index) => oneMount(mount, `user mount ${index}`, nosuid));
  return {
    find: parts.flatMap(({ find = [] }) => find),
    prepare: parts.flatMap(({ prepare }) => prepare),
    attach: parts.flatMap(({ attach: place }) => place),
  };
}

/** The `what` of every step of a volume starts so. */
export const VOLUME = 'mount the volume';

function oneMount(mount: UserMount, save: string, nosuid: boolean): MountSteps {
  const { target } = mount;
  const extra = nosuid ? MOUNT_ATTR.NOSUID : 0;
  if (mount.kind === 'tmpfs') {
    const what = `mount a tmpfs at "${printable(target)}"`;
    const { attributes, options } = mount;
    return {
      prepare: newMount({ type: 'tmpfs', source: 'tmpfs', options, attributes: attributes | extra, save, what }),
      attach: [...folderTarget(target, what), attach({ mount: save, target: targetName(target), what })],
    };
  }
  const { source, sourceKind, readOnly } = mount;
  const what = `${VOLUME} "${printable(source)}" at "${printable(target)}"`;
  // Devices in a volume are those of the host, and there is no device cgroup that would say which of them may be used. Of one that
  // may be, mode and owner stay the host's.
  const isDevice = sourceKind === 'device';
  const attributes = (isDevice ? 0 : MOUNT_ATTR.NODEV) | extra | (readOnly || isDevice ? MOUNT_ATTR.RDONLY : 0);
  const make = sourceKind === 'folder' ? folderTarget : fileTarget;
  return {
    find: bindMount({ source, recursive: true, attributes, save, what }),
    prepare: [],
    attach: [...make(target, what), attach({ mount: save, target: targetName(target), what })],
  };
}

/**
 * The image's VOLUME folders. Docker puts anonymous volumes there, which live on after the container; here they are part of the
 * container's own copy, with what the image has in them, and go with it. Under `--read-only` they stay writable as with docker.
 */
export function imageVolumeSteps(paths: readonly string[], readOnlyRoot: boolean): MountSteps['attach'] {
  return paths.flatMap((path) => {
    const what = `prepare the volume "${printable(path)}"`;
    const steps = folderTarget(path, what);
    if (!readOnlyRoot) return steps;
    const save = `own ${path}`;
    const source = { result: targetName(path) };
    return [
      ...steps,
      ...bindMount({ source, recursive: true, attributes: 0, save, what }),
      attach({ mount: save, target: targetName(path), what }),
    ];
  });
}

function depth(path: string): number {
  return path.split('/').length;
}
