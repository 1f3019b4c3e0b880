import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { freeReadBuffers } from '../../src/registry/free-read-buffers.ts';

const CHUNK = 64 * 1024;
const MEGABYTE = 1024 * 1024;

describe('freeReadBuffers()', () => {
  it('keeps the buffers of what has been read from piling up', () => {
    const free = freeReadBuffers();
    let most = 0;
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 800; count += 1) {
      const chunk = Buffer.allocUnsafeSlow(CHUNK);
      free(chunk.byteLength);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most).toBeLessThan(16 * MEGABYTE); // of 50 that were read
  });

  it('leaves the flags of V8 as they are', () => {
    freeReadBuffers()(100 * MEGABYTE);
    expect(runInNewContext('typeof gc')).toBe('undefined');
  });
});
