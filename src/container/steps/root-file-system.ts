import { MOUNT_ATTR, MOUNT_ATTR_SIZE, MS, UMOUNT, mountAttr } from '../../linux/mount-flags.ts';
import { AT } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';
import type { Mount } from '../../snapshot/mount.ts';

/** Attributes that the root folder of the image has, in the ids of the container. */
export interface RootAttributes {
  uid: number;
  gid: number;
  /** Permission bits. */
  mode: number;
}

export interface RootOptions {
  /** The container's own folder, absolute. The driver has made `rootfs` in it, and for overlay also `upper`. */
  folder: string;
  mount: Mount;
  /** Of the topmost layer's root. */
  attributes: RootAttributes;
  /** In a user namespace set-user-ID programs of the image would run with the caller's own files. */
  nosuid: boolean;
  /** Devices that the container makes work: for a privileged container of root. */
  devices: boolean;
}

/** The `what` of mounting an overlay. */
export const OVERLAY = 'mount the overlay of its layers';

/** Mounts the fresh copy and makes its root the current folder. Nothing that the image can change is looked at. */
export function mountRootSteps({ folder, mount, attributes, nosuid, devices }: RootOptions): Step[] {
  // Without a device cgroup, devices that the container makes with CAP_MKNOD must not work: they are the host's disks.
  const flags = (devices ? 0 : MS.NODEV) | (nosuid ? MS.NOSUID : 0);
  return [
    { call: 'chdir', args: [folder], what: "enter the container's folder" },
    ...(mount.type === 'overlay' ? overlaySteps(mount.options, attributes, flags) : bindSteps(mount.source, flags)),
    { call: 'chdir', args: ['rootfs'], what: "enter the container's root" },
  ];
}

/** Makes the current folder the root and gets rid of the host's: from here on no path leads out. */
export function changeRootSteps(): Step[] {
  const what = 'change the root';
  return [
    // Stacks the old root upon the new one, where the second call takes it off again: pivot_root(2).
    { call: 'pivot_root', args: ['.', '.'], what },
    { call: 'umount2', args: ['.', UMOUNT.DETACH], what },
    { call: 'chdir', args: ['/'], what },
  ];
}

/** `--read-only`: everything below the root's own mount, not what is mounted inside it. */
export function readOnlyRootSteps(): Step[] {
  const attributes = mountAttr({ set: MOUNT_ATTR.RDONLY });
  const args = [AT.FDCWD, '/', 0, attributes, MOUNT_ATTR_SIZE];
  return [{ call: 'mount_setattr', args, what: 'make the root read-only' }];
}

function overlaySteps(options: readonly string[], attributes: RootAttributes, flags: number): Step[] {
  // What distributions build in as defaults must not decide what a layer's attributes mean, nor may a layer redirect.
  const fixed = ['redirect_dir=nofollow', 'metacopy=off', 'index=off'];
  const mount = (chosen: readonly string[]): Step => ({
    call: 'mount',
    args: ['overlay', 'rootfs', 'overlay', flags, [...chosen, ...fixed].join(',')],
    what: OVERLAY,
  });
  const attempts: Step[] = [mount(options)];
  if (options.includes('volatile')) {
    // Linux 5.10; before it, the copy is merely written to the disk once more than needed.
    attempts.unshift({ ...mount(options), ignore: ['EINVAL'], skipOnSuccess: 1 });
    attempts[1] = mount(options.filter((option) => option !== 'volatile'));
  }
  return [...rootAttributeSteps(attributes), ...attempts];
}

/** The root folder of an overlay is that of the upper folder, which is new: it gets what the image's has. */
function rootAttributeSteps({ uid, gid, mode }: RootAttributes): Step[] {
  const what = 'give the root its owner and mode';
  return [
    { call: 'fchownat', args: [AT.FDCWD, 'upper', uid, gid, 0], what },
    { call: 'fchmodat', args: [AT.FDCWD, 'upper', mode], what },
  ];
}

function bindSteps(source: string, flags: number): Step[] {
  const what = 'mount the copy of its layers';
  return [
    { call: 'mount', args: [source, 'rootfs', 0, MS.BIND], what },
    // The attributes of mount_setattr are the same bits as these flags of mount.
    { call: 'mount_setattr', args: [AT.FDCWD, 'rootfs', 0, mountAttr({ set: flags }), MOUNT_ATTR_SIZE], what },
  ];
}
