import { setTimeout as delay } from 'node:timers/promises';

import { ToolError } from '../errors.ts';

/** Throws ERR_ABORTED if the caller has given up. `task` continues "Cannot", such as `lock "/a/b"`. */
export function throwIfAborted(signal: AbortSignal | undefined, task: string): void {
  if (signal?.aborted === true) throw aborted(signal, task);
}

/** Waits, or throws ERR_ABORTED as soon as the caller gives up. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined, task: string): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted === true) throw aborted(signal, task);
    throw error;
  }
}

function aborted(signal: AbortSignal, task: string): ToolError {
  return new ToolError('ERR_ABORTED', `Cannot ${task}: it was stopped`, { cause: signal.reason });
}
