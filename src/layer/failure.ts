import { IntegrityError, isToolError, LayerError, ToolError, type ErrorCode } from '../errors.ts';
import type { Failure } from './unpack-job.ts';

/** Writes an error down for the process at the other end of a pipe. */
export function describeFailure(error: unknown): Failure {
  if (!isToolError(error)) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { code: undefined, message, ...(stack === undefined ? {} : { stack }) };
  }
  const failure: Failure = { code: error.code, message: error.message };
  if (error.hint !== undefined) failure.hint = error.hint;
  if (error instanceof IntegrityError) failure.integrity = { expected: error.expected, actual: error.actual };
  if (error instanceof LayerError) {
    failure.layer = { reason: error.reason };
    if (error.entry !== undefined) failure.layer.entry = error.entry;
    if (error.index !== undefined) failure.layer.index = error.index;
  }
  return failure;
}

/** The error that `describeFailure` was given. */
export function reviveFailure(failure: Failure): Error {
  const { code, message, hint, layer, integrity, stack } = failure;
  const options = hint === undefined ? {} : { hint };
  if (layer !== undefined) return new LayerError(message, layer, options);
  if (integrity !== undefined) return new IntegrityError(message, integrity.expected, integrity.actual, options);
  if (code !== undefined) return new ToolError(code as ErrorCode, message, options);
  return new Error(`Cannot unpack a layer: ${message}`, { cause: stack });
}
