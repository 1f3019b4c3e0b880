import type { Context } from './context.ts';
import { interruptible } from './interruptible.ts';
import { errorText } from './report-error.ts';

export interface Removal {
  /** Removes one, and answers with what to print about it. */
  remove: (name: string, signal: AbortSignal) => Promise<string>;
  /** Errors that nobody needs to hear of. */
  isSilent: (error: unknown) => boolean;
  /** Errors that do not change the exit code. */
  isHarmless: (error: unknown) => boolean;
}

/** Removes one after the other, goes on after an error, and says at the end what went wrong. Answers with the exit code. */
export async function removeEach(names: readonly string[], context: Context, removal: Removal): Promise<number> {
  return interruptible(context, async ({ signal }) => {
    const errors: unknown[] = [];
    for (const name of names) {
      try {
        context.stdout.write(await removal.remove(name, signal));
      } catch (error) {
        if (signal.aborted) throw error;
        errors.push(error);
      }
    }
    for (const error of errors) if (!removal.isSilent(error)) context.stderr.write(`${errorText(error)}\n`);
    return errors.every(removal.isHarmless) ? 0 : 1;
  });
}
