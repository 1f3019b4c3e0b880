import { closeSync, constants, openSync } from 'node:fs';
import { FILE_WHITEOUT_XATTR } from '../linux/file-whiteout.ts';
import { bindLibc } from '../linux/libc.ts';
import { bindXattrCalls } from '../linux/libc-xattr.ts';
import type { OverlayMarks } from './merged-tree.ts';

/**
 * Reads the marks of layers that were unpacked with `whiteouts`. Loads libc: keep what this answers with.
 * Source: kernel Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".
 */
export function overlayMarks(whiteouts: 'trusted' | 'user'): OverlayMarks {
  const xattrs = bindXattrCalls(bindLibc());
  const read = (path: Buffer, name: string): string | undefined => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return xattrs.get(fd, name)?.toString('latin1');
    } finally {
      closeSync(fd);
    }
  };
  return {
    isOpaque: (folder) => read(folder, `${whiteouts}.overlay.opaque`) === 'y',
    isFileWhiteout: (file) => read(file, FILE_WHITEOUT_XATTR) === 'y',
  };
}
