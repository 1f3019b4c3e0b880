import type { Context } from './context.ts';
import type { Interrupts } from './interrupts.ts';

const SIGNAL_EXIT_CODE = 128; // plus the signal's number, as a shell counts

/**
 * Does something that a signal stops in good order. What it throws after a signal is only a consequence, and not told:
 * the exit code is 130 for Ctrl-C.
 */
export async function interruptible(
  context: Pick<Context, 'catchInterrupts'>,
  work: (interrupts: Interrupts) => Promise<number>,
): Promise<number> {
  const interrupts = context.catchInterrupts();
  try {
    return await work(interrupts);
  } catch (error) {
    const received = interrupts.received();
    if (received === undefined) throw error;
    return SIGNAL_EXIT_CODE + received;
  } finally {
    interrupts.release();
  }
}
