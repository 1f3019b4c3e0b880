import { closeSync, constants, fchmodSync, fchownSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

import { toFsPath, type EntryPath } from './entry-path.ts';
import { clampTime } from './entry-time.ts';
import type { LayerContext } from './layer-context.ts';
import { ownerOnDisk } from './owners.ts';
import { setXattrs } from './set-xattrs.ts';
import type { TarEntry } from './tar-entry.ts';
import { recordTime, recordXattrs } from './tree-record.ts';
import type { Xattrs } from './xattr-policy.ts';

/** What `writeFile` needs to know of an entry. */
export type FileAttributes = Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'size' | 'mtime'> & {
  isSparse: boolean;
  xattrs: Xattrs | undefined;
};

/** A file that is being written: `data` in ascending order, then `end`. */
export interface FileWriter {
  data(bytes: Buffer, position: number): void;
  /** Sets the attributes, closes the file, whatever happens, and records it. */
  end(): void;
  /** Only closes it: to be called instead of `end` after an error of `data`. */
  abandon(): void;
}

const SET_ID = 0o6000;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes the file `path`, whose parent exists; what is there is replaced. Throws system errors, and a `Refusal` for the owner. */
export function writeFile(context: LayerContext, path: EntryPath, attributes: FileAttributes): FileWriter {
  const owner = ownerOnDisk(attributes, context.ownership);
  const mode = attributes.mode & 0o7777;
  // Not set-id yet: that waits for the owner, who would take it away again, as would each write of a rootless process.
  const fd = create(context, path, mode & ~SET_ID);
  const content = attributes.isSparse ? writeSparse(fd, attributes.size) : writeDense(fd);
  return {
    data: (bytes, position) => content.data(bytes, position),
    end: () => {
      const mtime = clampTime(attributes.mtime);
      let checksum: number;
      let xattrs: Xattrs | undefined;
      try {
        checksum = content.end();
        if (owner.uid !== 0 || owner.gid !== 0) fchownSync(fd, owner.uid, owner.gid);
        if ((mode & SET_ID) !== 0) fchmodSync(fd, mode);
        xattrs = setXattrs(context, { fd, xattrs: attributes.xattrs }); // after chown, which drops capabilities
        context.files.setFileTimes(fd, mtime);
      } finally {
        closeSync(fd);
      }
      const { uid, gid, size } = attributes;
      // Few files have attributes, and a spread takes as long as the rest of the record.
      const record = { path, type: 'file', mode, uid, gid, size, mtime: recordTime(mtime), crc32: checksum } as const;
      context.manifest.add(xattrs === undefined ? record : { ...record, ...recordXattrs(xattrs) });
    },
    abandon: () => closeSync(fd),
  };
}

function create(context: LayerContext, path: EntryPath, mode: number): number {
  const fsPath = toFsPath(path);
  try {
    return openSync(fsPath, CREATE, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  context.folders.remove(path);
  return openSync(fsPath, CREATE, mode);
}

interface ContentWriter {
  data(bytes: Buffer, position: number): void;
  /** Answers the CRC-32 of the whole content. */
  end(): number;
}

function writeDense(fd: number): ContentWriter {
  let checksum = 0;
  return {
    data(bytes) {
      checksum = crc32(bytes, checksum);
      writeAll(fd, bytes, null);
    },
    end: () => checksum,
  };
}

/** Leaves the holes out of the file; they count as zeros for the checksum. */
function writeSparse(fd: number, size: number): ContentWriter {
  let checksum = 0;
  let summed = 0;
  const sumZerosUntil = (end: number): void => {
    const zeros = Buffer.alloc(Math.min(end - summed, 1024 * 1024));
    for (; summed < end; summed += zeros.length) checksum = crc32(zeros.subarray(0, end - summed), checksum);
    summed = end;
  };
  return {
    data(bytes, position) {
      sumZerosUntil(position);
      checksum = crc32(bytes, checksum);
      summed = position + bytes.length;
      writeAll(fd, bytes, position);
    },
    end() {
      sumZerosUntil(size);
      ftruncateSync(fd, size);
      return checksum;
    },
  };
}

/** write(2) may take less than it is given, for one when the disk is about to be full. */
function writeAll(fd: number, bytes: Buffer, position: number | null): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}
