import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { ToolError, isToolError } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import type { ExposedPort, PublishedPort } from './network/published-port.ts';
import { hasEnded, processMark, temporaryPrefix } from '../linux/process-mark.ts';

/**
 * What is known of a container from its beginning, in `config.json` of its folder. Never changes.
 *
 * containers/<id>/
 *   config.json   this
 *   lock          flock, held as long as the container (or who looks after its end) lives; its text says who made it
 *   started       made once the lock is held: found without the lock held, the container has ended
 *   state.json    ContainerState
 *   socket        where clients of its terminal connect while it runs, if it can be shared (session/)
 *   etc/, …       files that are bound over the image's; what the snapshot driver makes
 * containers/names/<name>   link whose text is the id: names are unique because links cannot be made twice
 */
export interface ContainerRecord {
  version: 1;
  /** 64 hexadecimal digits. */
  id: string;
  name: string;
  /** As the user wrote it. */
  image: string;
  imageId: Digest;
  manifest: Digest;
  /** Chain IDs of the layers in hexadecimal, bottom first: names of folders in layers/. */
  layers: string[];
  command: string[];
  /** RFC 3339. */
  created: string;
  autoRemove: boolean;
  /** Control groups that it runs in, absolute. */
  controlGroups?: string[] | undefined;
  /** The image's, and those that it was given. */
  labels?: Record<string, string> | undefined;
  /** Number of the signal that asks it to end; SIGTERM if not given. */
  stopSignal?: number | undefined;
  /** Seconds from then on until it is killed, -1 for never; 10 if not given. */
  stopTimeout?: number | undefined;
  /** Of a network of its own: those that are published, with the host's address spelled out, and those that the image exposes. */
  ports?: (PublishedPort | ExposedPort)[] | undefined;
}

/** What changes. Absent until there is something to say. */
export interface ContainerState {
  /** The waiter while the container runs, and when that process started in clock ticks since boot: a pid alone may be reused. */
  waiter?: { pid: number; startTime: string } | undefined;
  /** Set at the end. */
  exitCode?: number | undefined;
  /** RFC 3339. */
  finished?: string | undefined;
}

export const NAMES_FOLDER = 'names';

/** A container's folder, and its lock file, which is open but not locked. */
export interface ContainerFolder {
  folder: string;
  lock: number;
}

/** Makes a container's folder, which until `writeRecord` nobody takes for a container. The lock file is the caller's to close. */
export function createContainerFolder(containers: string, id: string): ContainerFolder {
  const folder = join(containers, id);
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  // Under another name first, so that whoever finds a container's folder finds its lock file as well.
  const unfinished = mkdtempSync(join(containers, temporaryPrefix()));
  let lock: number | undefined;
  try {
    lock = openSync(join(unfinished, 'lock'), O_RDWR | O_CREAT | O_EXCL, 0o600);
    writeSync(lock, processMark());
    renameSync(unfinished, folder);
    return { folder, lock };
  } catch (error) {
    if (lock !== undefined) closeSync(lock);
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** Whether the process that has made the folder is known to have ended. */
export function makerHasEnded(containers: string, id: string): boolean {
  try {
    return hasEnded(readFileSync(join(containers, id, 'lock'), 'latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

export function writeRecord(folder: string, record: ContainerRecord): void {
  writeJson(join(folder, 'config.json'), record);
}

export function writeState(folder: string, state: ContainerState): void {
  writeJson(join(folder, 'state.json'), state);
}

/**
 * Readers see the old content or the new. Not synced: a record describes a process, which does not outlive a power failure,
 * and the milliseconds would be felt at every start. What is left after one is reported as damaged.
 */
function writeJson(path: string, value: unknown): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600, flag: 'w' });
  renameSync(temporary, path);
}

/** Ids of all containers that have a folder. */
export function listIds(containers: string): string[] {
  try {
    return readdirSync(containers).filter((name) => /^[0-9a-f]{64}$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * The record of a container, undefined if it has gone or is only being made.
 * @throws {ToolError} ERR_STORE_DAMAGED
 */
export function readRecord(containers: string, id: string): ContainerRecord | undefined {
  const path = join(containers, id, 'config.json');
  const value = readJson(path);
  if (value === undefined) return undefined;
  if (isRecord(value) && value.id === id) return value;
  throw new ToolError('ERR_STORE_DAMAGED', `Cannot read "${path}": it is not a container's record`, {
    hint: `Remove the container with "mydocker rm ${id.slice(0, 12)}".`,
  });
}

/** As `readRecord`, but a damaged one is as good as none. */
export function readIntactRecord(containers: string, id: string): ContainerRecord | undefined {
  try {
    return readRecord(containers, id);
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return undefined;
    throw error;
  }
}

/** The state of a container; empty if there is none, or none that can be read. */
export function readState(containers: string, id: string): ContainerState {
  const value = readJson(join(containers, id, 'state.json'));
  if (typeof value !== 'object' || value === null) return {};
  const { waiter, exitCode, finished } = value as Record<keyof ContainerState, unknown>;
  return {
    ...(isWaiter(waiter) ? { waiter } : {}),
    ...(typeof exitCode === 'number' ? { exitCode } : {}),
    ...(typeof finished === 'string' ? { finished } : {}),
  };
}

function isWaiter(value: unknown): value is { pid: number; startTime: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTime } = value as Record<string, unknown>;
  return Number.isSafeInteger(pid) && (pid as number) > 1 && typeof startTime === 'string';
}

/** Undefined if there is no such file, null if it is not JSON. */
function readJson(path: string): unknown {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is ContainerRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Record<keyof ContainerRecord, unknown>;
  return (
    record.version === 1 &&
    [record.id, record.name, record.image, record.created].every((text) => typeof text === 'string') &&
    [record.imageId, record.manifest].every((digest) => typeof digest === 'string' && isDigest(digest)) &&
    [record.layers, record.command].every(isTexts) &&
    typeof record.autoRemove === 'boolean' &&
    (record.controlGroups === undefined || isTexts(record.controlGroups)) &&
    (record.labels === undefined || isTextMap(record.labels)) &&
    isIntegerIn(record.stopSignal, 1, 64) &&
    isIntegerIn(record.stopTimeout, -1, Number.MAX_SAFE_INTEGER) &&
    (record.ports === undefined || isPorts(record.ports))
  );
}

function isTextMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && isTexts(Object.values(value));
}

/** Undefined is fine, too. */
function isIntegerIn(value: unknown, least: number, most: number): boolean {
  if (value === undefined) return true;
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isPorts(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((port: Partial<PublishedPort> | null) => {
      const { protocol, containerPort, address, hostPort } = port ?? {};
      const isPublished = typeof address === 'string' && isIP(address) !== 0 && Number.isInteger(hostPort);
      const isExposed = address === undefined && hostPort === undefined;
      return /^(?:tcp|udp|sctp)$/.test(protocol ?? '') && Number.isInteger(containerPort) && (isPublished || isExposed);
    })
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
