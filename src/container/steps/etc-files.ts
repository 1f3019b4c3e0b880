import { MOUNT_ATTR } from '../../linux/mount-flags.ts';
import { AT } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';
import { isWithin } from '../container-path.ts';
import type { MountSteps } from './mount-steps.ts';
import { attach, bindMount } from './mounts.ts';
import { folderTarget, ownTarget, targetName } from './targets.ts';

/** Files that the engine provides, each in the container's folder under `etc/`. */
export const ETC_FILES = ['resolv.conf', 'hosts', 'hostname'] as const;

export interface EtcFileOptions {
  /** The container's own, absolute. */
  folder: string;
  /** Where the user mounts something. */
  volumeTargets: readonly string[];
  /** Whether they are the caller's, who is not root of the container. */
  giveToRoot: boolean;
}

/**
 * Binds the engine's files over those of the image. A symlink there is replaced in the container's own copy: following it
 * could end anywhere, or nowhere, as with the link of systemd-resolved. A volume at or above a file's place brings its own.
 */
export function etcFileSteps({ folder, volumeTargets, giveToRoot }: EtcFileOptions): MountSteps {
  const names = engineFilesOf(volumeTargets);
  return {
    find: names.flatMap((name) =>
      bindMount({
        source: `${folder}/etc/${name}`,
        recursive: false,
        attributes: MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC,
        save: `etc ${name}`,
        what: `provide /etc/${name}`,
      }),
    ),
    prepare: giveToRoot ? names.map(giveStep) : [],
    attach: [
      ...(names.length === 0 ? [] : folderTarget('/etc', 'provide the files of /etc')),
      ...names.flatMap((name) => {
        const [path, what] = [`/etc/${name}`, `provide /etc/${name}`];
        return [...ownTarget(path, 'file', what), attach({ mount: `etc ${name}`, target: targetName(path), what })];
      }),
    ],
  };
}

/** EPERM if their group is none of the user namespace's. Then they stay the caller's. */
function giveStep(name: string): Step {
  const args = [{ result: `etc ${name}` }, '', 0, 0, AT.EMPTY_PATH];
  return { call: 'fchownat', args, ignore: ['EPERM'], what: `provide /etc/${name}` };
}

/** Those that no volume of the user's brings. */
export function engineFilesOf(volumeTargets: readonly string[]): (typeof ETC_FILES)[number][] {
  return ETC_FILES.filter((name) => !volumeTargets.some((target) => isWithin(`/etc/${name}`, target)));
}
