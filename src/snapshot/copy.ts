import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ToolError } from '../errors.ts';
import type { Ownership } from '../linux/ownership.ts';
import { spawnMapped } from '../linux/spawn-mapped.ts';
import { printable } from '../printable.ts';
import type { CopyJob } from './copy-child.ts';
import type { Mount, SnapshotDriver } from './mount.ts';
import type { OwnerMap } from './translate-id.ts';

export interface CopyDriverOptions {
  whiteouts: 'trusted' | 'user';
  ownership: Ownership;
  runnerFolder: string;
  /** What the copy's owners are in `ownership`, where they are not those of the layers. */
  owners?: OwnerMap | undefined;
}

// The same place seen from src/snapshot/, dist/snapshot/ and dist/bin/.
const CHILD = new URL('../../dist/copy-child.cjs', import.meta.url);

/** For where overlayfs cannot be mounted: every run gets a copy of the merged tree, with shared blocks where the file system can. */
export function copyDriver({ whiteouts, ownership, runnerFolder, owners }: CopyDriverOptions): SnapshotDriver {
  return {
    name: 'copy',
    async prepare({ folder, layers, signal }): Promise<Mount> {
      const destination = join(folder, 'rootfs');
      mkdirSync(destination);
      const job: CopyJob = { trees: layers.map((layer) => join(layer, 'fs')), destination, whiteouts, owners };
      const { child, exited } = spawnMapped({
        command: [process.execPath, fileURLToPath(CHILD), JSON.stringify(job)],
        ownership,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {},
        runnerFolder,
        signal,
      });
      let problem = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (problem += text));
      const { code } = await exited;
      if (code !== 0) {
        throw new ToolError(
          'ERR_CONTAINER',
          `Cannot copy the image to "${printable(destination)}": ${printable(problem) || 'the copying process was ended'}`,
        );
      }
      return { type: 'bind', source: 'rootfs' };
    },
  };
}
