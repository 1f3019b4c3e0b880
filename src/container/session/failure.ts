import { inspect } from 'node:util';
import { ToolError, isToolError } from '../../errors.ts';
import type { Failure } from './message.ts';

/** An error, to be sent to another process. */
export function describeFailure(error: unknown): Failure {
  const trace = inspect(error);
  if (isToolError(error)) return { code: error.code, message: error.message, hint: error.hint, trace };
  return { message: error instanceof Error ? error.message : String(error), trace };
}

/** The error as it was there, as far as anybody looks at it. */
export function failureError({ code, message, hint, trace }: Failure): Error {
  const cause = new Error(trace);
  if (code === undefined) return new Error(message, { cause });
  return new ToolError(code, message, { cause, ...(hint === undefined ? {} : { hint }) });
}
