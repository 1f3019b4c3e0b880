import fs from 'node:fs';
import { join } from 'node:path';

import { withDiskErrors } from '../fs/disk-error.ts';
import { downloadOfInfo } from './ingest-info.ts';
import { isFree } from './ingest-file.ts';
import type { StorePaths } from './layout.ts';
import { ADVISORY_LOCK } from './remove-leftovers.ts';

/** Partial downloads: how many there are, how many of them some process is at, and their sizes in bytes. */
export interface IngestUsage {
  total: number;
  active: number;
  bytes: number;
  activeBytes: number;
}

export async function ingestUsage({ ingest }: Pick<StorePaths, 'ingest'>): Promise<IngestUsage> {
  const usage: IngestUsage = { total: 0, active: 0, bytes: 0, activeBytes: 0 };
  for (const name of await withDiskErrors('read', ingest, async () => fs.promises.readdir(ingest))) {
    const path = join(ingest, name);
    const isDownload = !ADVISORY_LOCK.test(name) && downloadOfInfo(name) === undefined;
    const size = isDownload ? fs.lstatSync(path, { throwIfNoEntry: false })?.size : undefined;
    if (size === undefined) continue; // or it is a blob by now
    const active = !isFree(path);
    usage.total += 1;
    usage.active += active ? 1 : 0;
    usage.bytes += size;
    usage.activeBytes += active ? size : 0;
  }
  return usage;
}
