import { describe, expect, test } from 'vitest';
import type { RetryAdvice } from '../../src/registry/retry.ts';
import { DEFAULT_RETRY_POLICY, NetworkError, nextDelay, withRetries } from '../../src/registry/retry.ts';
import { instantTiming } from '../support/registry/index.ts';

function failure(advice: RetryAdvice): NetworkError {
  return new NetworkError('Cannot test', { problem: 'broken', advice });
}

async function waitsOf(advice: RetryAdvice, random = 0): Promise<number[]> {
  const timing = { ...instantTiming(), random: () => random };
  const error = failure(advice);
  const work = withRetries(async () => Promise.reject(error), { policy: DEFAULT_RETRY_POLICY, timing, action: 'test' });
  await expect(work).rejects.toBe(error);
  return timing.waits;
}

describe('withRetries()', () => {
  test('R54 tries five times, waiting twice as long each time', async () => {
    expect(await waitsOf({ retry: 'later' })).toEqual([1000, 2000, 4000, 8000]);
  });

  test('R52 shortens waits by up to half, so that clients do not come back together', async () => {
    expect(await waitsOf({ retry: 'later' }, 0.5)).toEqual([750, 1500, 3000, 6000]);
  });

  test('R52 waits as long as it is told, up to a minute, two in all', async () => {
    expect(await waitsOf({ retry: 'later', afterMs: 2000 })).toEqual([2000, 2000, 2000, 2000]);
    expect(await waitsOf({ retry: 'later', afterMs: 1e12 })).toEqual([60_000, 60_000]);
  });

  test('R59 tries again at once, once', async () => {
    expect(await waitsOf({ retry: 'at once' })).toEqual([2000, 4000, 8000]);
  });

  test('does not repeat what cannot succeed', async () => {
    expect(await waitsOf({ retry: 'never' })).toEqual([]);
  });

  test('R68 ends a wait with ERR_ABORTED when the signal aborts', async () => {
    const abort = new AbortController();
    const timing = {
      ...instantTiming(),
      wait: async (_ms: number, signal?: AbortSignal) => {
        abort.abort(new Error('Ctrl-C'));
        signal?.throwIfAborted();
      },
    };
    const work = withRetries(async () => Promise.reject(failure({ retry: 'later' })), {
      policy: DEFAULT_RETRY_POLICY,
      timing,
      action: 'pull "x"',
      signal: abort.signal,
    });
    await expect(work).rejects.toMatchObject({ code: 'ERR_ABORTED', message: 'Cannot pull "x": it was interrupted' });
  });
});

describe('nextDelay()', () => {
  test('never waits longer than the longest wait', () => {
    const policy = { ...DEFAULT_RETRY_POLICY, maxAttempts: 100, maxTotalDelayMs: Infinity };
    const setbacks = { failures: 60, waitedMs: 0 };
    expect(nextDelay(failure({ retry: 'later' }), setbacks, { policy, timing: instantTiming() })).toBe(30_000);
  });
});
