import type { Context } from './context.ts';
import { interruptible } from './interruptible.ts';
import { errorText } from './report-error.ts';

export interface OperandAction {
  /** Does it to one, and answers with what to print about it. */
  act: (name: string, signal: AbortSignal) => Promise<string>;
  /** Errors that nobody needs to hear of; none unless given. */
  isSilent?: ((error: unknown) => boolean) | undefined;
  /** Errors that do not change the exit code; none unless given. */
  isHarmless?: ((error: unknown) => boolean) | undefined;
}

/** Does the same to one after the other, goes on after an error, and says at the end what went wrong. Answers with the exit code. */
export async function eachOperand(names: readonly string[], context: Context, action: OperandAction): Promise<number> {
  const { act, isSilent = () => false, isHarmless = () => false } = action;
  return interruptible(context, async ({ signal }) => {
    const errors: unknown[] = [];
    for (const name of names) {
      try {
        context.stdout.write(await act(name, signal));
      } catch (error) {
        if (signal.aborted) throw error;
        errors.push(error);
      }
    }
    for (const error of errors) if (!isSilent(error)) context.stderr.write(`${errorText(error)}\n`);
    return errors.every(isHarmless) ? 0 : 1;
  });
}
