import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../fs/disk-error.ts';
import { tryFileLock } from '../fs/kernel-lock.ts';
import type { Digest } from '../oci/digest.ts';
import { listIds, readIntactRecord, readRecord, readState } from './container-record.ts';
import type { ContainerRecord } from './container-record.ts';
import { STARTED } from './steps/content-guard.ts';

/**
 * - created: not started (yet)
 * - running
 * - exited: ended, and its exit code is known
 * - dead: ended together with the process that looked after it, so nobody saw its exit code
 */
export type ContainerStatus = 'created' | 'running' | 'exited' | 'dead';

export interface ContainerSummary {
  id: string;
  status: ContainerStatus;
  /** Undefined if it is damaged: a power failure may do that. */
  record?: ContainerRecord | undefined;
  /** Only if `exited`. */
  exitCode?: number | undefined;
  /** RFC 3339; only if `exited`. */
  finished?: string | undefined;
  /** When a file was last made in its folder; for what has no record. */
  since: Date;
}

/** All containers, newest first. Asks the kernel which of them live; no pid and no clock is trusted. */
export function listContainers(containers: string): ContainerSummary[] {
  const summaries = listIds(containers).map((id) => summarise(containers, id));
  return summaries
    .filter((summary) => summary !== undefined)
    .toSorted((a, b) => createdOf(b).localeCompare(createdOf(a)));
}

/** What containers need of the store. */
export interface ContainerRoots {
  manifests: Digest[];
  /** Chain IDs in hexadecimal. */
  layers: string[];
}

/**
 * What a garbage collection must keep, whether the containers run or not. Call it while holding the collection's lock.
 * @throws {ToolError} ERR_STORE_DAMAGED if one cannot be read: then nothing may be swept
 */
export function containerRoots(containers: string): ContainerRoots {
  const records = listIds(containers)
    .map((id) => readRecord(containers, id))
    .filter((record) => record !== undefined);
  return {
    manifests: [...new Set(records.map(({ manifest }) => manifest))],
    layers: [...new Set(records.flatMap(({ layers }) => layers))],
  };
}

/** Whether somebody holds the container's lock: it lives, or is being removed. Undefined if it has gone. */
export function isLocked(containers: string, id: string): boolean | undefined {
  try {
    // Shared: two who ask at the same time must not take each other for the container.
    const lock = tryFileLock(join(containers, id, 'lock'), 'shared', { create: false });
    lock?.release();
    return lock === undefined;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function summarise(containers: string, id: string): ContainerSummary | undefined {
  const folder = join(containers, id);
  const locked = isLocked(containers, id) ?? false;
  // After the lock: who held it has written the state before letting go.
  const { exitCode, finished } = readState(containers, id);
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return undefined; // removed meanwhile
  const started = existsSync(join(folder, STARTED));
  return {
    id,
    status: exitCode !== undefined ? 'exited' : !started ? 'created' : locked ? 'running' : 'dead',
    record: readIntactRecord(containers, id),
    exitCode,
    finished,
    since: stats.mtime,
  };
}

function createdOf({ record, since }: ContainerSummary): string {
  return record?.created ?? since.toISOString();
}
