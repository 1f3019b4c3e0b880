/**
 * Marks an empty file as a whiteout, where the kernel makes no 0:0 device: on a file system that is an overlay itself, as inside
 * many a container. No overlay can be mounted over layers there, so only this engine has to understand it; and no image can carry
 * it, as attributes of overlayfs are left out when a layer is unpacked.
 */
export const FILE_WHITEOUT_XATTR = 'user.overlay.whiteout';
