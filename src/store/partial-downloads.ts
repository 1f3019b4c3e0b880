import fs from 'node:fs';
import { join } from 'node:path';

import { ToolError } from '../errors.ts';
import { advisoryLockPath } from '../fs/advisory-lock.ts';
import { diskError, hasErrno } from '../fs/disk-error.ts';
import { tryFileLock } from '../fs/kernel-lock.ts';
import { digestFromHex, digestHex, shortDigest, type Digest } from '../oci/digest.ts';
import { readIngestInfo, removeIngestInfo, type IngestInfo } from './ingest-info.ts';
import type { StorePaths } from './layout.ts';

/** A blob of which not all has come. The next pull that needs it goes on where this one stopped. */
export interface PartialDownload {
  digest: Digest;
  /** Bytes that are there. */
  size: number;
  /** Bytes of the whole blob; undefined if that is not known. */
  total: number | undefined;
  /** The image that was last pulled with it, canonical; undefined if that is not known. */
  reference: string | undefined;
  /** When the last byte came. */
  changed: Date;
  /** Some process is at it. */
  active: boolean;
}

/** The last to change first. */
export function listPartialDownloads({ ingest }: Pick<StorePaths, 'ingest'>): PartialDownload[] {
  try {
    const found = fs.readdirSync(ingest).flatMap((name) => readDownload(ingest, name));
    return found.sort((a, b) => b.changed.getTime() - a.changed.getTime());
  } catch (error) {
    throw diskError(error, 'read', ingest);
  }
}

/** Bytes of a blob that have come, whoever is at it; undefined if none is under way. */
export async function partialSize({ ingest }: Pick<StorePaths, 'ingest'>, digest: Digest): Promise<number | undefined> {
  try {
    return (await fs.promises.lstat(join(ingest, digestHex(digest)))).size;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw diskError(error, 'read', ingest);
  }
}

/** Answers how many bytes that frees; undefined if there is no such download. Throws ERR_CONFLICT if a process is at it. */
export function removePartialDownload({ ingest }: Pick<StorePaths, 'ingest'>, digest: Digest): number | undefined {
  const path = join(ingest, digestHex(digest));
  const lock = unlessGone(() => tryFileLock(path, 'exclusive', { create: false }) ?? 'taken');
  if (lock === undefined) return undefined;
  if (lock === 'taken') {
    throw new ToolError('ERR_CONFLICT', `Cannot remove the download of "${shortDigest(digest)}": a pull is at it`, {
      hint: 'End that pull, or wait until it is done.',
    });
  }
  try {
    const { size } = fs.fstatSync(lock.fd);
    // While it is locked, so that nobody can have begun to go on with it.
    removeIngestInfo(path);
    fs.unlinkSync(path);
    removeAdvisoryLock(path);
    return size;
  } catch (error) {
    throw diskError(error, 'remove', path);
  } finally {
    lock.release();
  }
}

/** None for what is not resumed: the locks and infos beside the downloads, and downloads of processes that could not share one. */
function readDownload(ingest: string, name: string): PartialDownload[] {
  const digest = digestFromHex(name);
  const path = join(ingest, name);
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (digest === undefined || stats?.isFile() !== true) return [];
  const lock = unlessGone(() => tryFileLock(path, 'shared', { create: false }) ?? 'taken');
  if (lock === undefined) return [];
  if (lock !== 'taken') lock.release();
  const { size, mtime } = stats;
  const { reference, size: total }: Partial<IngestInfo> = readIngestInfo(path) ?? {};
  const isBeyond = total !== undefined && total < size;
  return [{ digest, size, total: isBeyond ? undefined : total, reference, changed: mtime, active: lock === 'taken' }];
}

/** Of a pull that was killed. Whoever is about to open the file may lose it, and that lock is allowed to fail. */
function removeAdvisoryLock(path: string): void {
  try {
    fs.rmdirSync(advisoryLockPath(path));
  } catch {
    // There was none.
  }
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
