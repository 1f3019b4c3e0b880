import { openEngine } from '../image/engine.ts';
import { parsePlatform } from '../oci/platform.ts';
import { readRunOptions } from './read-run-options.ts';
import type { RunOptions } from './run-options.ts';
import type { RunResult } from './run-container.ts';
import { runImage } from './run-image.ts';

/**
 * Runs a command in a fresh copy of an image, from beginning to end. The container dies with this process.
 * @param command in place of the image's own, if not empty
 * @throws {ToolError} ERR_COMMAND_NOT_FOUND, ERR_COMMAND_NOT_EXECUTABLE, ERR_CONTAINER, ERR_HOST, ERR_USAGE, ERR_CONFLICT,
 * ERR_NO_SUCH_IMAGE, ERR_ABORTED, and what a pull throws
 */
export async function run(
  image: string,
  command: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  const { platform, signal } = options;
  return runImage(await openEngine(options), {
    image,
    policy: options.pull ?? 'missing',
    platform: platform === undefined ? undefined : parsePlatform(platform),
    // Only here is anything of the network loaded.
    pull: async () => (await import('../image/pull.ts')).pull(image, options),
    onMissing: options.onMissing,
    options: readRunOptions(command, options),
    stdio: options.stdio ?? ['ignore', 'inherit', 'inherit'],
    onLaunched: options.onLaunched,
    onStarted: options.onStarted,
    signals: options.signals,
    signal,
  });
}
