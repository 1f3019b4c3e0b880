import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isToolError } from '../../errors.ts';
import { makeTemporaryFolder } from '../../fs/make-temporary-folder.ts';
import { removeTree } from '../../fs/remove-tree.ts';
import type { HostFacts } from '../../linux/host-facts.ts';
import { StepError } from '../../linux/step-error.ts';
import type { RunnableImage } from '../../image/runnable-image.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { hostPlatform } from '../../oci/platform.ts';
import type { SnapshotDriver } from '../../snapshot/mount.ts';
import type { ContainerPaths } from '../container-paths.ts';
import { runContainer } from '../run-container.ts';

export interface ContainerTrial {
  paths: ContainerPaths;
  host: HostFacts;
  driver: SnapshotDriver;
  signal?: AbortSignal | undefined;
}

/**
 * Sets up a container as `run --rm` does, with docker's defaults, from an image of one empty file. That everything has worked shows in
 * the kernel's answer to the last step: the file is no program. Nobody else sees the container, and nothing is left of it.
 * Throws what `runContainer` throws if it does not come to that.
 */
export async function tryContainer({ paths, host, driver, signal }: ContainerTrial): Promise<void> {
  const folder = makeTemporaryFolder(paths.containers);
  try {
    const image = layImage(join(folder, 'layers', 'empty'));
    const own = {
      containers: join(folder, 'containers'),
      trash: join(folder, 'trash'),
      gcLock: join(folder, 'gc.lock'),
    };
    for (const path of [own.containers, own.trash]) mkdirSync(path);
    await runContainer({
      paths: { ...paths, ...own },
      host,
      image,
      driver,
      options: { args: [`/${PROGRAM}`], autoRemove: true },
      stdio: ['ignore', 'ignore', 'ignore'],
      signal,
    });
  } catch (error) {
    const isEnd = isToolError(error) && error.cause instanceof StepError && error.cause.call === 'execve';
    if (!isEnd || (error.cause as StepError).code !== 'ENOEXEC') throw error;
  } finally {
    await removeTree(folder);
  }
}

const PROGRAM = 'empty';

/** As the engine unpacks one. */
function layImage(layer: string): RunnableImage {
  mkdirSync(join(layer, 'fs'), { recursive: true });
  writeFileSync(join(layer, 'fs', PROGRAM), '', { mode: 0o755 });
  for (const name of ['done', 'passwd', 'group']) writeFileSync(join(layer, name), '');
  const platform = hostPlatform(process.arch);
  const bytes = Buffer.from(JSON.stringify({ ...platform, rootfs: { type: 'layers', diff_ids: [] } }));
  const digest = digestOf(bytes);
  return {
    name: 'mydocker-doctor',
    imageId: digest,
    manifest: digest,
    platform,
    config: parseImageConfig(bytes),
    layerFolders: [layer],
  };
}
