import type { Readable } from 'node:stream';
import type { Timing } from './timing.ts';

/** How slow a body may come: at least `bytesPerSecond` on average over each window. */
export interface RateLimits {
  windowMs: number;
  bytesPerSecond: number;
}

/** `code` of the error that ends a body that comes too slowly. */
export const TOO_SLOW = 'ERR_TOO_SLOW';

interface Progress {
  /** Bytes in this window. */
  received: number;
  /** Milliseconds of this window in which whoever reads was busy with what it had: not the server's fault. */
  busyMs: number;
  /** When the reader got busy; undefined while it waits for bytes. */
  busySince: number | undefined;
}

/**
 * The chunks of `body`, which is destroyed with TOO_SLOW when it comes too slowly: one byte a second keeps any
 * timeout between two bytes from striking.
 */
export async function* watchRate(body: Readable, limits: RateLimits, timing: Timing): AsyncGenerator<Uint8Array, void> {
  const progress: Progress = { received: 0, busyMs: 0, busySince: undefined };
  const stop = new AbortController();
  watch(body, progress, { limits, timing, signal: stop.signal }).catch(() => undefined); // rejects when stopped
  try {
    for await (const chunk of body) {
      const bytes = chunk as Uint8Array;
      progress.received += bytes.byteLength;
      progress.busySince = timing.now();
      yield bytes;
      progress.busyMs += timing.now() - progress.busySince;
      progress.busySince = undefined;
    }
  } finally {
    stop.abort();
  }
}

async function watch(
  body: Readable,
  progress: Progress,
  { limits, timing, signal }: { limits: RateLimits; timing: Timing; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await timing.wait(limits.windowMs, signal);
    if (isTooSlow(progress, limits, timing.now())) {
      body.destroy(Object.assign(new Error(`less than ${limits.bytesPerSecond} bytes/s`), { code: TOO_SLOW }));
      return;
    }
    progress.received = 0;
    progress.busyMs = 0;
    if (progress.busySince !== undefined) progress.busySince = timing.now();
  }
}

/** A window that the reader spent mostly busy is not judged. */
function isTooSlow({ received, busyMs, busySince }: Progress, limits: RateLimits, now: number): boolean {
  const busy = busyMs + (busySince === undefined ? 0 : now - busySince);
  const waited = limits.windowMs - busy;
  return waited > limits.windowMs / 2 && received < (limits.bytesPerSecond * waited) / 1000;
}
