import type { Context } from './context.ts';

/**
 * Asks a question and waits for a line: whether it is `y` or `Y`. As with docker whoever is no terminal is asked too, and the end of
 * the input is a no.
 * Source: https://github.com/docker/cli/blob/v29.0.0/internal/prompt/prompt.go.
 */
export async function confirm(
  question: string,
  { stdout, readLine }: Pick<Context, 'stdout' | 'readLine'>,
  signal: AbortSignal,
): Promise<boolean> {
  stdout.write(`${question} [y/N] `);
  try {
    return (await readLine(signal)).trim().toLowerCase() === 'y';
  } catch (error) {
    if (signal.aborted) stdout.write('\n');
    throw error;
  }
}
