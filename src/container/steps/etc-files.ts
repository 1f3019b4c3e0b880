import { MOUNT_ATTR } from '../../linux/mount-flags.ts';
import { isWithin } from '../container-path.ts';
import type { MountSteps } from './mount-steps.ts';
import { attach, bindMount } from './mounts.ts';
import { folderTarget, ownTarget, targetName } from './targets.ts';

/** Files that the engine provides, each in the container's folder under `etc/`. */
export const ETC_FILES = ['resolv.conf', 'hosts', 'hostname'] as const;

/**
 * Binds the engine's files over those of the image. A symlink there is replaced in the container's own copy: following it
 * could end anywhere, or nowhere, as with the link of systemd-resolved. A volume at or above a file's place brings its own.
 */
export function etcFileSteps(folder: string, volumeTargets: readonly string[]): MountSteps {
  const names = engineFilesOf(volumeTargets);
  return {
    prepare: names.flatMap((name) =>
      bindMount({
        source: `${folder}/etc/${name}`,
        recursive: false,
        attributes: MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC,
        save: `etc ${name}`,
        what: `provide /etc/${name}`,
      }),
    ),
    attach: [
      ...(names.length === 0 ? [] : folderTarget('/etc', 'provide the files of /etc')),
      ...names.flatMap((name) => {
        const [path, what] = [`/etc/${name}`, `provide /etc/${name}`];
        return [...ownTarget(path, 'file', what), attach({ mount: `etc ${name}`, target: targetName(path), what })];
      }),
    ],
  };
}

/** Those that no volume of the user's brings. */
export function engineFilesOf(volumeTargets: readonly string[]): (typeof ETC_FILES)[number][] {
  return ETC_FILES.filter((name) => !volumeTargets.some((target) => isWithin(`/etc/${name}`, target)));
}
