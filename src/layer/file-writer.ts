import { createHash, hash, type Hash } from 'node:crypto';
import { closeSync, constants, fchmodSync, fchownSync, ftruncateSync, openSync, writeSync } from 'node:fs';

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
  const content = attributes.isSparse ? writeSparse(fd, attributes.size) : writeDense(fd, attributes.size);
  return {
    data: (bytes, position) => content.data(bytes, position),
    end: () => {
      const mtime = clampTime(attributes.mtime);
      let sha256: string;
      let xattrs: Xattrs | undefined;
      try {
        sha256 = content.end();
        if (owner.uid !== 0 || owner.gid !== 0) fchownSync(fd, owner.uid, owner.gid);
        if ((mode & SET_ID) !== 0) fchmodSync(fd, mode);
        xattrs = setXattrs(context, { fd, xattrs: attributes.xattrs }); // after chown, which drops capabilities
        context.files.setFileTimes(fd, mtime);
      } finally {
        closeSync(fd);
      }
      const { uid, gid, size } = attributes;
      // Few files have attributes, and a spread takes as long as the rest of the record.
      const record = { path, type: 'file', mode, uid, gid, size, mtime: recordTime(mtime), sha256 } as const;
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
  /** Answers the SHA-256 of the whole content in hexadecimal. */
  end(): string;
}

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function writeDense(fd: number, size: number): ContentWriter {
  let digest = EMPTY_SHA256;
  let running: Hash | undefined;
  return {
    data(bytes) {
      if (bytes.length === size) {
        digest = hash('sha256', bytes); // all at once, the usual case: three times as fast as a hash object
      } else {
        running ??= createHash('sha256');
        running.update(bytes);
      }
      writeAll(fd, bytes, null);
    },
    end: () => running?.digest('hex') ?? digest,
  };
}

/** Leaves the holes out of the file; they count as zeros for the digest. */
function writeSparse(fd: number, size: number): ContentWriter {
  const running = createHash('sha256');
  let hashed = 0;
  const hashZerosUntil = (end: number): void => {
    const zeros = Buffer.alloc(Math.min(end - hashed, 1024 * 1024));
    for (; hashed < end; hashed += zeros.length) running.update(zeros.subarray(0, end - hashed));
    hashed = end;
  };
  return {
    data(bytes, position) {
      hashZerosUntil(position);
      running.update(bytes);
      hashed = position + bytes.length;
      writeAll(fd, bytes, position);
    },
    end() {
      hashZerosUntil(size);
      ftruncateSync(fd, size);
      return running.digest('hex');
    },
  };
}

/** write(2) may take less than it is given, for one when the disk is about to be full. */
function writeAll(fd: number, bytes: Buffer, position: number | null): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}
