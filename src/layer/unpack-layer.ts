import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { readlink, rm, statfs } from 'node:fs/promises';

import { IntegrityError } from '../errors.ts';
import { throwIfAborted } from '../fs/abort.ts';
import { diskError } from '../fs/disk-error.ts';
import { O } from '../linux/path-flags.ts';
import { StepError } from '../linux/step-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { shortDigest, type Digest } from '../oci/digest.ts';
import { reviveFailure } from './failure.ts';
import { defaultLimits, type LayerLimits } from './layer-limits.ts';
import { unexpectedEnd, type JobEnd } from './start-unpack-child.ts';
import type { WrittenManifest } from './tree-manifest.ts';
import type { RunningJob, UnpackChildren } from './unpack-children.ts';
import type { UnpackJob } from './unpack-job.ts';

export interface UnpackOptions {
  blobPath: string;
  /** Of the blob, whose digest has been verified when it was stored. */
  descriptor: Descriptor;
  diffId: Digest;
  /** An empty folder, which becomes the root of the layer. After an error it holds anything, and is the caller's to remove. */
  folder: string;
  /** The tree manifest is written here; there is no such file yet, nor after an error. */
  manifestPath: string;
  /**
   * Roots of the layers below, bottom first; opened before this function returns its promise, so they may be renamed from then
   * on. They may still be unpacked if `lowersComplete` says when they are.
   */
  lowerFolders: readonly string[];
  lowersComplete?: Promise<void> | undefined;
  /** Does the work. */
  children: UnpackChildren;
  whiteouts: 'trusted' | 'user';
  limits?: Partial<LayerLimits> | undefined;
  signal?: AbortSignal | undefined;
  /** Hears now and then how many bytes of the blob have been read. */
  onProgress?: ((bytesRead: number) => void) | undefined;
}

export interface UnpackedLayer {
  diffId: Digest;
  /** Of the unpacked archive, in bytes. */
  size: number;
  entries: number;
  /** The tree manifest. */
  manifest: WrittenManifest;
  /** What was left out, for people. */
  warnings: string[];
}

/**
 * Unpacks a layer in a child process whose root is `folder`; when this resolves, the tree and its manifest are on the disk.
 * Aborting kills the child, and so does the end of this process.
 * @throws {LayerError} ERR_LAYER for what cannot be unpacked safely
 * @throws {IntegrityError} for a blob of another size, or content with another diff ID
 * @throws {ToolError} ERR_LIMIT, ERR_UNSUPPORTED, ERR_NO_SPACE, ERR_STORE, ERR_HOST or ERR_ABORTED
 */
export async function unpackLayer(options: UnpackOptions): Promise<UnpackedLayer> {
  const { descriptor, signal } = options;
  const task = `unpack layer "${shortDigest(descriptor.digest)}"`;
  options.lowersComplete?.catch(() => undefined); // it may fail before anybody waits for it
  throwIfAborted(signal, task);
  const lowers = openLowers(options.lowerFolders);
  try {
    return await unpackOver(lowers, { ...options, task });
  } finally {
    for (const fd of lowers) closeSync(fd);
  }
}

async function unpackOver(
  lowers: readonly number[],
  options: UnpackOptions & { task: string },
): Promise<UnpackedLayer> {
  const { blobPath, manifestPath, descriptor } = options;
  const limits = limitsOf(options.limits, defaultLimits(descriptor.size, await freeSpace(options.folder)));
  checkSize(blobPath, descriptor);
  closeSync(open(manifestPath, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 'create'));
  try {
    return await unpack({ ...options, limits, lowers });
  } catch (error) {
    await rm(manifestPath, { force: true });
    throw error;
  }
}

/** A limit of the caller's own is not about free space. */
function limitsOf(own: Partial<LayerLimits> = {}, defaults: LayerLimits): LayerLimits {
  return own.bytes === undefined ? { ...defaults, ...own } : { ...defaults, isFreeSpace: false, ...own };
}

interface Unpacking extends UnpackOptions {
  limits: LayerLimits;
  lowers: readonly number[];
  /** For messages: `unpack layer "…"`. */
  task: string;
}

async function unpack(options: Unpacking): Promise<UnpackedLayer> {
  const { signal, task, diffId, children } = options;
  const running = children.begin(jobOf(options), {
    task,
    onNews: (message) => {
      if (message.kind === 'progress') options.onProgress?.(message.bytesRead);
    },
  });
  const abort = (): void => running.kill();
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  try {
    const end = await whileLowersAreFine(running, options);
    throwIfAborted(signal, task);
    return resultOf(end, { task, diffId });
  } catch (error) {
    // No process could be created. A step of the runner's says by itself what it was about.
    throw error instanceof StepError ? error : diskError(error, 'unpack layer', options.descriptor.digest);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function jobOf(options: Unpacking): UnpackJob {
  const { descriptor, blobPath, manifestPath, diffId, folder, lowers, children, whiteouts, limits } = options;
  return {
    kind: 'unpack',
    label: shortDigest(descriptor.digest),
    blobPath,
    manifestPath,
    diffId,
    folder,
    lowerCount: lowers.length,
    ownership: children.ownership,
    whiteouts,
    limits,
  };
}

/** Waits for the job to end. If a layer below fails, this one is of no use: the child is killed, and that error thrown. */
async function whileLowersAreFine(running: RunningJob, { lowersComplete, lowers }: Unpacking): Promise<JobEnd> {
  const failure: { error?: unknown } = {};
  const announce = async (): Promise<void> => {
    try {
      await lowersComplete;
      running.write({ kind: 'lowers', folders: await Promise.all(lowers.map(pathOf)) });
    } catch (error) {
      failure.error = error;
      running.kill();
    }
  };
  void announce();
  const end = await running.ended;
  if ('error' in failure) throw failure.error;
  return end;
}

/** What an open folder is called now. Passing descriptors on instead would not do: the runner takes fewer than there can be layers. */
async function pathOf(fd: number): Promise<string> {
  return readlink(`/proc/self/fd/${fd}`);
}

function resultOf(end: JobEnd, { task, diffId }: Pick<Unpacking, 'task' | 'diffId'>): UnpackedLayer {
  if (end.message === undefined) throw unexpectedEnd(end.end, task);
  const { message } = end;
  if (message.kind === 'failure') throw reviveFailure(message.failure);
  if (message.kind === 'verified') throw new TypeError('It was not to be verified');
  const { size, entries, manifest, warnings } = message;
  if (message.diffId !== diffId) {
    throw new IntegrityError(`Cannot ${task}: its content has another digest`, diffId, message.diffId);
  }
  return { diffId, size, entries, manifest, warnings };
}

/** In bytes, for an ordinary user. */
async function freeSpace(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    throw diskError(error, 'look at', folder);
  }
}

function openLowers(folders: readonly string[]): number[] {
  const fds: number[] = [];
  try {
    for (const folder of folders) fds.push(open(folder, O.PATH | constants.O_DIRECTORY, 'open'));
    return fds;
  } catch (error) {
    for (const fd of fds) closeSync(fd);
    throw error;
  }
}

function open(path: string, flags: number, verb: string): number {
  try {
    return openSync(path, flags | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    throw diskError(error, verb, path);
  }
}

function checkSize(blobPath: string, { digest, size }: Descriptor): void {
  const blob = open(blobPath, constants.O_RDONLY, 'read');
  const actual = fstatSync(blob).size;
  closeSync(blob);
  if (actual === size) return;
  const message = `Cannot unpack layer "${shortDigest(digest)}": its blob has ${actual} bytes, and the manifest wants ${size}`;
  throw new IntegrityError(message, String(size), String(actual));
}
