import { basename, join } from 'node:path';

import { createContainerFolder, writeRecord } from '../../../src/container/container-record.ts';
import { lockFile } from '../../../src/fs/kernel-lock.ts';
import type { Bench } from './bench.ts';

/** Makes the record of a container over the lowest layer alone, and holds the lock that it has while it runs, until `end`. */
export async function addContainer(bench: Bench, isRunning: boolean): Promise<{ id: string; end(): void }> {
  const id = 'c'.repeat(64);
  const { folder } = createContainerFolder(bench.at('containers'), id);
  writeRecord(folder, {
    version: 1,
    id,
    name: 'c',
    image: bench.name,
    imageId: bench.digests.config,
    manifest: bench.digests.manifest,
    layers: [basename(bench.layerFolders[0] ?? '')],
    command: ['sh'],
    created: '2026-01-01T00:00:00Z',
    autoRemove: false,
  });
  const lock = isRunning ? await lockFile(join(folder, 'lock'), 'exclusive') : undefined;
  return { id, end: () => lock?.release() };
}
