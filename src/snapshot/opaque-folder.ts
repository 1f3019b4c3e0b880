import { closeSync, constants, openSync } from 'node:fs';
import { bindLibc } from '../linux/libc.ts';
import { bindXattrCalls } from '../linux/libc-xattr.ts';

/**
 * Tells whether a layer's folder hides what lies below it. Loads libc: keep what this answers with.
 * Source: kernel Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".
 */
export function opaqueFolderTest(whiteouts: 'trusted' | 'user'): (folder: Buffer) => boolean {
  const xattrs = bindXattrCalls(bindLibc());
  const name = `${whiteouts}.overlay.opaque`;
  return (folder) => {
    const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      return xattrs.get(fd, name)?.toString('latin1') === 'y';
    } finally {
      closeSync(fd);
    }
  };
}
