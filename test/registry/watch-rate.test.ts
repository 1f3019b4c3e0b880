import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Timing } from '../../src/registry/timing.ts';
import { TOO_SLOW, watchRate } from '../../src/registry/watch-rate.ts';
import { instantTiming } from '../support/registry/index.ts';

const LIMITS = { windowMs: 30_000, bytesPerSecond: 1024 };

/** A clock whose windows end when the test says so. */
function steppedTiming(): Timing & { endWindow(): Promise<void>; isWaiting(): boolean } {
  const base = instantTiming();
  let end: (() => void) | undefined;
  let waiting = false;
  return {
    ...base,
    isWaiting: () => waiting,
    async wait(_ms, signal) {
      waiting = true;
      await new Promise<void>((resolve, reject) => {
        end = resolve;
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }).finally(() => (waiting = false));
    },
    async endWindow() {
      base.advance(LIMITS.windowMs);
      end?.();
      await new Promise(setImmediate);
    },
  };
}

describe('watchRate()', () => {
  test('R56 ends a body that drips', async () => {
    const timing = steppedTiming();
    const body = new Readable({ read: () => undefined });
    const chunks = watchRate(body, LIMITS, timing);
    for (let second = 0; second < 30; second += 1) {
      body.push('x');
      expect((await chunks.next()).value?.toString()).toBe('x');
    }
    const next = chunks.next();
    next.catch(() => undefined);
    await timing.endWindow();
    await expect(next).rejects.toMatchObject({ code: TOO_SLOW });
    expect(body.destroyed).toBe(true);
  });

  test('R56 judges each window for itself', async () => {
    const timing = steppedTiming();
    const body = new Readable({ read: () => undefined, highWaterMark: 1 << 20 });
    const chunks = watchRate(body, LIMITS, timing);
    body.push(Buffer.alloc(30 * 1024));
    await chunks.next();
    const next = chunks.next();
    next.catch(() => undefined);
    await timing.endWindow();
    expect(body.destroyed).toBe(false);
    await timing.endWindow();
    await expect(next).rejects.toMatchObject({ code: TOO_SLOW });
  });

  test('does not blame the server for a reader that is busy', async () => {
    const timing = steppedTiming();
    const body = new Readable({ read: () => undefined });
    const chunks = watchRate(body, LIMITS, timing);
    body.push('x');
    await chunks.next();
    await timing.endWindow(); // the reader holds "x" all this time
    await timing.endWindow();
    expect(body.destroyed).toBe(false);
    body.push('y');
    body.push(null);
    expect((await chunks.next()).value?.toString()).toBe('y');
    expect((await chunks.next()).done).toBe(true);
  });

  test('stops watching when the reader leaves', async () => {
    const timing = steppedTiming();
    const body = Readable.from([Buffer.from('x'), Buffer.from('y')]);
    for await (const chunk of watchRate(body, LIMITS, timing)) {
      expect(chunk.toString()).toBe('x');
      break;
    }
    await new Promise(setImmediate);
    expect(timing.isWaiting()).toBe(false); // a timer left would keep the program from ending
    expect(body.destroyed).toBe(true);
  });
});
