import fs from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import { throwIfAborted } from '../fs/abort.ts';
import { diskError, withDiskErrors } from '../fs/disk-error.ts';
import { syncFolder } from '../fs/sync-folder.ts';
import { writeAll } from '../fs/write-all.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { wrongSize, type ContentVerifier, type CreateVerifier } from './content-verifier.ts';
import type { IngestFile } from './ingest-file.ts';
import { removeIngestInfo } from './ingest-info.ts';

/**
 * Content on its way into the store. It ends with `commit`, `suspend` or `discard`; until then other processes wait for it.
 * After the file system has failed a `write`, only `reset`, `suspend` and `discard` are left.
 */
export interface Ingest {
  /** Bytes that are there, some of them perhaps from an earlier process: where the next `write` goes on. */
  readonly offset: number;
  /**
   * Appends. Await each before the next; `chunk` must stay as it is until then.
   * Throws IntegrityError, and takes nothing, as soon as there would be more than the descriptor's size; ERR_NO_SPACE.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Begins again at byte 0. */
  reset(): Promise<void>;
  /**
   * Verifies size and digest and makes the blob visible, durably. Throws, and deletes the content: IntegrityError if it is
   * wrong, ERR_NO_SPACE or ERR_STORE for what the file system answers (if that comes last, the blob is there).
   */
  commit(): Promise<void>;
  /** Keeps what is there for a later `ingest` of the same digest; but gives the space back after a failed write. */
  suspend(): Promise<void>;
  /** Deletes what is there. Like `suspend`, never throws, and does nothing to an ingest that has ended. */
  discard(): Promise<void>;
}

export interface IngestTarget {
  file: IngestFile;
  descriptor: Descriptor;
  /** Where the blob goes. */
  blobPath: string;
  createVerifier: CreateVerifier;
}

const fsync = promisify(fs.fsync);
const ftruncate = promisify(fs.ftruncate);
const fchmod = promisify(fs.fchmod);
const read = promisify(fs.read);
const BLOB_MODE = 0o444;
const REHASH_CHUNK = 1024 * 1024; // bytes

/** Goes on with the content of `target.file`, which is read and hashed again: nothing is believed of an earlier process. */
export async function resumeIngest(target: IngestTarget, signal: AbortSignal | undefined): Promise<Ingest> {
  const verifier = target.createVerifier(target.descriptor);
  const offset = await withDiskErrors('read', target.file.path, async () => rehash(target, verifier, signal));
  const progress: Progress = { verifier, offset, state: 'good', writing: undefined };
  return {
    get offset() {
      return progress.offset;
    },
    write: async (chunk) => append(target, progress, chunk),
    reset: async () => reset(target, progress),
    async commit() {
      await progress.writing;
      requireState(progress, 'good');
      progress.state = 'ended';
      await commit(target, progress.verifier);
    },
    async suspend() {
      const state = await end(progress);
      if (state === 'broken' || (state === 'good' && progress.offset === 0)) await discard(target.file);
      else if (state === 'good') await target.file.close();
    },
    async discard() {
      if ((await end(progress)) !== 'ended') await discard(target.file);
    },
  };
}

interface Progress {
  verifier: ContentVerifier;
  offset: number;
  /** `broken`: what was hashed is not what is in the file. `ended`: the descriptor may be another file's by now. */
  state: 'good' | 'broken' | 'ended';
  /** Settles, and never fails, when the last write is done: nobody may close the file under it. */
  writing: Promise<void> | undefined;
}

/** Answers in which state the ingest was. */
async function end(progress: Progress): Promise<Progress['state']> {
  await progress.writing;
  const { state } = progress;
  progress.state = 'ended';
  return state;
}

function requireState({ state }: Progress, ...wanted: Array<Progress['state']>): void {
  if (!wanted.includes(state)) throw new TypeError(`This ingest is ${state}, ${wanted.join(' or ')} was wanted`);
}

async function append({ file, descriptor }: IngestTarget, progress: Progress, chunk: Uint8Array): Promise<void> {
  requireState(progress, 'good');
  const position = progress.offset;
  if (position + chunk.length > descriptor.size) throw wrongSize(descriptor, `more than ${descriptor.size} bytes`);
  progress.offset += chunk.length;
  try {
    const written = writeAll(file.fd, chunk, position); // on another thread, while this one hashes
    progress.writing = written.catch(() => undefined);
    progress.verifier.update(chunk);
    await written;
  } catch (error) {
    progress.state = 'broken';
    throw diskError(error, 'write', file.path);
  }
}

async function reset({ file, descriptor, createVerifier }: IngestTarget, progress: Progress): Promise<void> {
  await progress.writing;
  requireState(progress, 'good', 'broken');
  await withDiskErrors('write', file.path, async () => ftruncate(file.fd, 0));
  progress.verifier = createVerifier(descriptor);
  progress.offset = 0;
  progress.state = 'good';
}

/** Answers how many bytes there are. */
async function rehash(
  { file, descriptor }: IngestTarget,
  verifier: ContentVerifier,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { size } = fs.fstatSync(file.fd);
  if (size > descriptor.size) {
    await ftruncate(file.fd, 0);
    return 0;
  }
  const buffer = Buffer.allocUnsafe(Math.min(size, REHASH_CHUNK));
  let offset = 0;
  while (offset < size) {
    throwIfAborted(signal, `store "${descriptor.digest}"`);
    const { bytesRead } = await read(file.fd, { buffer, position: offset });
    if (bytesRead === 0) break;
    verifier.update(buffer.subarray(0, bytesRead));
    offset += bytesRead;
  }
  return offset;
}

/** Write order: verified, on the disk, visible, and that on the disk too. */
async function commit({ file, blobPath }: IngestTarget, verifier: ContentVerifier): Promise<void> {
  const folder = dirname(blobPath);
  try {
    verifier.finish();
    await withDiskErrors('write', blobPath, async () => {
      await fchmod(file.fd, BLOB_MODE);
      // A failed fsync is final: the kernel may have dropped the pages, and a second one would find nothing to complain about.
      await fsync(file.fd);
      await fs.promises.mkdir(folder, { recursive: true, mode: 0o700 });
      removeIngestInfo(file.path);
      await fs.promises.rename(file.path, blobPath);
    });
  } catch (error) {
    await discard(file);
    throw error;
  }
  // Others may rely on the blob from now on, so it stays even if this fails; nothing is named before the folder is on the disk.
  try {
    await syncFolder(folder);
  } finally {
    await file.close();
  }
}

/** Deletes the file while it is still locked, so that nobody can have begun to go on with it. */
async function discard(file: IngestFile): Promise<void> {
  removeIngestInfo(file.path);
  await fs.promises.rm(file.path, { force: true }).catch(() => undefined); // garbage collection finds it again
  await file.close();
}
