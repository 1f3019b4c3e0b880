import { openEngine } from '../image/engine.ts';
import type { Engine } from '../image/engine.ts';
import { obtainImage } from '../image/obtain-image.ts';
import type { RunnableImage } from '../image/runnable-image.ts';
import { parsePlatform } from '../oci/platform.ts';
import type { ContainerOptions } from './container-options.ts';
import { readRunOptions } from './read-run-options.ts';
import type { RunOptions } from './run-options.ts';

/** All that it takes to run a container, apart from where its streams go. */
export interface PreparedRun {
  engine: Engine;
  image: RunnableImage;
  options: ContainerOptions;
}

/** Reads what a caller says, and brings the image into the store if need be. Throws what `run` says. */
export async function prepareRun(image: string, command: readonly string[], options: RunOptions): Promise<PreparedRun> {
  const { platform, signal, pull: policy = 'missing', onMissing } = options;
  const engine = await openEngine(options);
  const containerOptions = readRunOptions(command, options);
  const runnable = await obtainImage(engine, image, {
    policy,
    platform: platform === undefined ? undefined : parsePlatform(platform),
    // Only here is anything of the network loaded.
    pull: async () => (await import('../image/pull.ts')).pull(image, options),
    onMissing,
    signal,
  });
  return { engine, image: runnable, options: containerOptions };
}
