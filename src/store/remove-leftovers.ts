import fs from 'node:fs';
import { join } from 'node:path';

import { advisoryLockPath } from '../fs/advisory-lock.ts';
import { diskError, hasErrno } from '../fs/disk-error.ts';
import { withFileLock } from '../fs/kernel-lock.ts';
import { createPacer } from '../fs/pacer.ts';
import { isTemporaryName } from '../fs/write-file-atomic.ts';
import { isAbandoned } from '../linux/process-mark.ts';
import { lockIngest } from './ingest-file.ts';
import { downloadOfInfo } from './ingest-info.ts';
import type { InternalPaths, StorePaths } from './layout.ts';
import type { TrashBin } from './trash.ts';

export interface IngestRemoval {
  /** Downloads that a later pull can go on with stay. */
  keepPartial: boolean;
  /** Only look. */
  dryRun: boolean;
}

/** `ingest/`: what no living process is writing to. Answers its size in bytes. */
export function removeIngests({ ingest }: Pick<StorePaths, 'ingest'>, { keepPartial, dryRun }: IngestRemoval): number {
  const names = fs.readdirSync(ingest);
  let bytes = 0;
  for (const name of names) {
    const isKept = ADVISORY_LOCK.test(name) || downloadOfInfo(name) !== undefined;
    if (isKept || (keepPartial && RESUMABLE.test(name))) continue;
    ifFree(join(ingest, name), (path) => {
      const size = fs.lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (!dryRun) fs.rmSync(path, { force: true });
      bytes += size;
    });
  }
  if (!dryRun) removeAdvisoryLocks(ingest, names);
  return bytes;
}

function removeAdvisoryLocks(ingest: string, names: readonly string[]): void {
  for (const name of names.filter((name) => ADVISORY_LOCK.test(name))) {
    // Its holder may be about to open the file. That costs it the advisory lock, which is allowed to fail.
    ifFree(join(ingest, name.replace(ADVISORY_LOCK, '')), (path) => fs.rmdirSync(advisoryLockPath(path)));
  }
  for (const name of names) {
    const download = downloadOfInfo(name);
    if (download === undefined || fs.existsSync(join(ingest, download))) continue;
    fs.rmSync(join(ingest, name), { force: true, recursive: true });
  }
}

/** Names in `ingest/` that are locks. */
export const ADVISORY_LOCK: RegExp = /\.lock$/;
const RESUMABLE = /^[0-9a-f]+$/;

/** `layers/`: what was being unpacked by processes that have died (`.tmp-<hex>-…`, alive while `.lock-<hex>` is held). */
export function removeStaging({ layers }: Pick<StorePaths, 'layers'>, bin: TrashBin): void {
  const names = fs.readdirSync(layers);
  const abandoned: string[] = [];
  for (const name of names) {
    const [, hex] = STAGED.exec(name) ?? [];
    // Listed before: what a process stages that takes the lock from now on is not among the names.
    if (hex !== undefined) ifFree(join(layers, `.lock-${hex}`), () => abandoned.push(join(layers, name)));
  }
  for (const path of abandoned) bin.take(path);
  for (const name of names) if (name.startsWith('.lock-')) ifFree(join(layers, name), (path) => fs.rmSync(path));
}

const STAGED = /^\.tmp-([0-9a-f]{64})-/;

/** `layers/*`: files beside the tree of writers that have died. Those that live hold the garbage collection lock, shared. */
export async function removeLayerFiles({ layers }: Pick<StorePaths, 'layers'>): Promise<void> {
  const pace = createPacer();
  for (const layer of fs.readdirSync(layers, { withFileTypes: true })) {
    await pace();
    if (!layer.isDirectory()) continue;
    const folder = join(layers, layer.name);
    for (const name of fs.readdirSync(folder)) if (isTemporaryName(name)) fs.rmSync(join(folder, name));
  }
}

/** `containers/` and `runner/`: temporary files and folders of processes that have died. */
export function removeAbandoned(
  { containers, runner }: Pick<StorePaths, 'containers' | 'runner'>,
  bin: TrashBin,
): void {
  for (const folder of [containers, runner]) {
    for (const name of fs.readdirSync(folder).filter(isAbandoned)) bin.take(join(folder, name));
  }
}

/** At the top: files of writers that have died. Those that live hold the lock. */
export async function removeTemporaryFiles(paths: InternalPaths, signal: AbortSignal | undefined): Promise<void> {
  if (!fs.readdirSync(paths.root).some(isTemporaryName)) return;
  await withFileLock({ path: paths.imagesLock, kind: 'exclusive', signal }, async () => {
    for (const name of fs.readdirSync(paths.root)) {
      if (isTemporaryName(name)) fs.rmSync(join(paths.root, name), { force: true });
    }
  });
}

/** Does `work` while holding the exclusive lock of the file, unless somebody else does. A file that is not there is free. */
function ifFree(path: string, work: (path: string) => void): void {
  try {
    const lock = lockIfThere(path);
    if (lock === undefined) return;
    try {
      work(path);
    } finally {
      lock.release();
    }
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw diskError(error, 'remove', path);
  }
}

function lockIfThere(path: string): { release(): void } | undefined {
  try {
    return lockIngest(path, { create: false });
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return { release: () => undefined };
    throw error;
  }
}
