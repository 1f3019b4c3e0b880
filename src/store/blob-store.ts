import { closeSync, constants, fstatSync, openSync, readFileSync, readdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import { join } from 'node:path';

import { ToolError, isToolError } from '../errors.ts';
import { diskError, hasErrno, withDiskErrors } from '../fs/disk-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestAlgorithm, digestOf, isDigest, type Digest } from '../oci/digest.ts';
import { MAX_DOCUMENT_BYTES } from '../oci/json.ts';
import { loadVerifier } from './content-verifier.ts';
import { PULL_AGAIN, damaged } from './damaged.ts';
import { openIngestFile, openSmallIngestFile, type IngestFile } from './ingest-file.ts';
import { writeIngestInfo } from './ingest-info.ts';
import { resumeIngest, type Ingest } from './ingest.ts';
import { blobPath, type InternalPaths } from './layout.ts';

export interface IngestOptions {
  /** What is there counts as absent, whatever its size: it is known to be damaged. It stays until the new content is complete. */
  replace?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Called once, when another process is at the same blob. */
  onWait?: (() => void) | undefined;
  /** The image that it is for, canonical: what `listPartialDownloads` tells if the download stops halfway. */
  reference?: string | undefined;
}

/**
 * Content by digest. A blob that can be seen is complete, was verified before it could be seen, and never changes.
 * Blobs that nothing refers to are deleted by garbage collection: hold a lease on what is to be used.
 */
export interface BlobStore {
  /** Where the blob is, if it is. */
  path(digest: Digest): string;
  /** `size` in bytes; undefined if it is not there. */
  stat(digest: Digest): Promise<{ size: number } | undefined>;
  /** Whether it is there with the descriptor's size. The content is not read. */
  has(descriptor: Descriptor): Promise<boolean>;
  /**
   * All of a small blob, verified.
   * Throws ERR_LIMIT if the descriptor says more than `limit` bytes, ERR_STORE_DAMAGED if it is not there or not what it should be.
   */
  read(descriptor: Descriptor, limit: number): Promise<Uint8Array>;
  /**
   * All of a manifest, an index or a config, verified; undefined if it is not there. Synchronous: there may be 10,000 to read, and
   * promises take longer than the reading. Throws ERR_LIMIT for more than MAX_DOCUMENT_BYTES, ERR_STORE_DAMAGED.
   */
  readDocument(digest: Digest): Uint8Array | undefined;
  /**
   * Succeeds if and only if the content is stored, whoever stored it; when it is already, `content` may be left unread.
   * Throws as `Ingest` does; what `content` throws is thrown on.
   */
  put(descriptor: Descriptor, content: AsyncIterable<Uint8Array> | Uint8Array): Promise<void>;
  /**
   * Begins to store a blob, or goes on with what an earlier process left; waits while another one is at it.
   * Undefined if the blob is there by then. A small blob that is there but damaged counts as absent and is replaced.
   */
  ingest(descriptor: Descriptor, options?: IngestOptions): Promise<Ingest | undefined>;
  /** Answers whether it was there. */
  delete(digest: Digest): Promise<boolean>;
  /** In no order. What has no digest for a name is passed over. Synchronous, as one call lists them all. */
  list(): Digest[];
}

// Manifests and configs are parsed by whoever reads them, so a damaged one must not pass for stored. Layers are verified while
// they are unpacked. Hashing this much takes 2 ms.
const VERIFIED_WHEN_FOUND = 4 * 1024 * 1024; // bytes

export function createBlobStore(paths: InternalPaths): BlobStore {
  const pathOf = (digest: Digest): string => blobPath(paths.blobs, digest);
  const stat = async (digest: Digest): Promise<{ size: number } | undefined> => statBlob(pathOf(digest));
  const isIntact = async (descriptor: Descriptor): Promise<boolean> => isStored(pathOf(descriptor.digest), descriptor);
  const begin = async (descriptor: Descriptor, file: IngestFile, signal?: AbortSignal): Promise<Ingest> => {
    const createVerifier = await loadVerifier();
    return resumeIngest({ file, descriptor, blobPath: pathOf(descriptor.digest), createVerifier }, signal);
  };
  const ingest = async (descriptor: Descriptor, options: IngestOptions = {}): Promise<Ingest | undefined> => {
    const isStored = async (): Promise<boolean> => options.replace !== true && (await isIntact(descriptor));
    if (await isStored()) return undefined;
    const { digest } = descriptor;
    const request = { folder: paths.ingest, digest, isStored, signal: options.signal, onWait: options.onWait };
    const file = await openIngestFile(request);
    if (file !== undefined && options.reference !== undefined) {
      writeIngestInfo(file.path, { reference: options.reference, size: descriptor.size });
    }
    return file && guarded(file, async () => begin(descriptor, file, options.signal));
  };
  return {
    path: pathOf,
    stat,
    has: async ({ digest, size }) => (await stat(digest))?.size === size,
    read: async (descriptor, limit) => readBlob(pathOf(descriptor.digest), descriptor, limit),
    readDocument: (digest) => readDocument(pathOf(digest), digest),
    ingest,
    async put(descriptor, content) {
      if (!(content instanceof Uint8Array)) return fill(await ingest(descriptor), content);
      if (await isIntact(descriptor)) return undefined;
      const file = openSmallIngestFile(paths.ingest, descriptor.digest);
      return fill(await guarded(file, async () => begin(descriptor, file)), [content]);
    },
    delete: async (digest) => deleteBlob(pathOf(digest)),
    list: () => listBlobs(paths.blobs),
  };
}

/** Closes the file if no ingest comes of it. */
async function guarded(file: IngestFile, work: () => Promise<Ingest>): Promise<Ingest> {
  try {
    return await work();
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function fill(ingest: Ingest | undefined, content: AsyncIterable<Uint8Array> | Uint8Array[]): Promise<void> {
  if (ingest === undefined) return;
  try {
    if (ingest.offset > 0) await ingest.reset(); // `content` starts at its first byte
    for await (const chunk of content) await ingest.write(chunk);
  } catch (error) {
    await ingest.discard();
    throw error;
  }
  await ingest.commit();
}

async function statBlob(path: string): Promise<{ size: number } | undefined> {
  try {
    const stats = await fs.lstat(path);
    return stats.isFile() ? { size: stats.size } : undefined;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw diskError(error, 'read', path);
  }
}

async function isStored(path: string, descriptor: Descriptor): Promise<boolean> {
  const { size } = descriptor;
  if ((await statBlob(path))?.size !== size) return false;
  if (size > VERIFIED_WHEN_FOUND) return true;
  try {
    await readBlob(path, descriptor, size);
    return true;
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return false;
    throw error;
  }
}

async function readBlob(path: string, descriptor: Descriptor, limit: number): Promise<Uint8Array> {
  const { digest, size } = descriptor;
  if (size > limit) throw tooLarge(digest, size, limit);
  const bytes = await readFileOf(path, size);
  if (bytes === undefined) throw damaged(digest, 'it is not in the store', { hint: PULL_AGAIN });
  if (typeof bytes === 'number') {
    throw damaged(digest, `its file has ${bytes} bytes, ${size} were wanted`, { hint: PULL_AGAIN });
  }
  return verified(bytes, digest);
}

function readDocument(path: string, digest: Digest): Uint8Array | undefined {
  let fd;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile()) return undefined;
    if (stats.size > MAX_DOCUMENT_BYTES) throw tooLarge(digest, stats.size, MAX_DOCUMENT_BYTES);
    return verified(readFileSync(fd), digest);
  } catch (error) {
    if (isNoFile(error)) return undefined;
    throw diskError(unreadableBlob(error, path), 'read', path);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function verified(bytes: Uint8Array, digest: Digest): Uint8Array {
  const actual = digestOf(bytes, digestAlgorithm(digest));
  if (actual !== digest) throw damaged(digest, `its file has the digest ${actual}`, { hint: PULL_AGAIN });
  return bytes;
}

function tooLarge(digest: Digest, size: number, limit: number): ToolError {
  return new ToolError('ERR_LIMIT', `Cannot read "${digest}": it has ${size} bytes, at most ${limit} were wanted`);
}

/** Undefined if there is no such file; its size if that is another. */
async function readFileOf(path: string, size: number): Promise<Uint8Array | number | undefined> {
  return withDiskErrors('read', path, async () => {
    let file;
    try {
      file = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      const stats = await file.stat();
      return stats.size === size ? await file.readFile() : stats.size;
    } catch (error) {
      if (isNoFile(error)) return undefined;
      throw unreadableBlob(error, path);
    } finally {
      await file?.close();
    }
  });
}

function isNoFile(error: unknown): boolean {
  return hasErrno(error, 'ENOENT', 'ELOOP', 'EISDIR');
}

/** A bad sector, or what a file system with checksums says of one, is damage; the rest is as it was. */
function unreadableBlob(error: unknown, path: string): unknown {
  if (!hasErrno(error, 'EIO', 'EBADMSG')) return error;
  return damaged(path, 'the disk cannot', { hint: PULL_AGAIN, cause: error });
}

async function deleteBlob(path: string): Promise<boolean> {
  try {
    await fs.unlink(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw diskError(error, 'remove', path);
  }
}

function listBlobs(blobs: string): Digest[] {
  return ['sha256', 'sha512'].flatMap((algorithm) =>
    namesIn(join(blobs, algorithm))
      .map((name) => `${algorithm}:${name}`)
      .filter(isDigest),
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw diskError(error, 'read', folder);
  }
}
