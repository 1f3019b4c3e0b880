import { ToolError } from '../errors.ts';

/** The error for work that the caller's signal ended. `action` such as `pull "alpine:latest"`. */
export function abortedError(action: string, signal: AbortSignal): ToolError {
  return new ToolError('ERR_ABORTED', `Cannot ${action}: it was interrupted`, { cause: signal.reason });
}

/** Throws ERR_ABORTED if the signal has. */
export function throwIfAborted(action: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(action, signal);
}

/** `work`, or ERR_ABORTED as soon as the signal aborts; the work itself goes on for whoever else waits for it. */
export async function orAborted<T>(work: Promise<T>, action: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  work.catch(() => undefined); // when the abort comes first, nobody else may be listening
  throwIfAborted(action, signal);
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(abortedError(action, signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
