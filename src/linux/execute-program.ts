import { namespaceError } from './namespace-error.ts';
import type { Ownership } from './ownership.ts';
import type { Program } from './program.ts';
import { startRunner } from './runner.ts';

/**
 * Runs a program that starts no command to its end: to have something done in namespaces, or to see whether it can be. Without input and
 * output. Throws a StepError for the step that failed, ERR_HOST where that is about namespaces, and what startRunner throws and its
 * `started` rejects with.
 */
export async function executeProgram(
  program: Program,
  options: { ownership: Ownership; runnerFolder: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const { ownership, runnerFolder, signal } = options;
  const stdio = ['ignore', 'ignore', 'ignore'] as const;
  const running = startRunner({ program, stdio, idMap: ownership, runnerFolder, signal });
  try {
    await running.started;
    await running.exited;
  } catch (error) {
    throw namespaceError(error) ?? error;
  }
}
