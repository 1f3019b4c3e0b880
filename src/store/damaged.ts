import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

/** The error for something in the store that is not what it should be. `problem` ends the sentence; `hint` is the remedy. */
export function damaged(subject: string, problem: string, about: { hint: string; cause?: unknown }): ToolError {
  return new ToolError(
    'ERR_STORE_DAMAGED',
    `Cannot read "${printable(subject, Infinity)}": ${printable(problem)}`,
    about,
  );
}

export const PULL_AGAIN = 'Pull the image again: what is damaged is replaced, the rest is kept.';
