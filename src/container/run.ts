import { prepareRun } from './prepare-run.ts';
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
  const prepared = await prepareRun(image, command, options);
  return runImage({
    ...prepared,
    stdio: options.stdio ?? ['ignore', 'inherit', 'inherit'],
    onLaunched: options.onLaunched,
    onStarted: options.onStarted,
    signals: options.signals,
    signal: options.signal,
  });
}
