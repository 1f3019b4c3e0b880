import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readStdin } from '../../src/cli/read-stdin.ts';

const { signal } = new AbortController();

describe('readStdin()', () => {
  it('reads to the end, whatever the pieces', async () => {
    const bytes = Buffer.from('pä\nß\n');
    const pieces = [...bytes].map((byte) => Buffer.from([byte]));
    expect(await readStdin(Readable.from(pieces), signal)).toBe('pä\nß\n');
    expect(await readStdin(Readable.from([]), signal)).toBe('');
  });

  it('stops at more than any password has', async () => {
    const endless = new Readable({ read: () => void endless.push(Buffer.alloc(1024)) });
    await expect(readStdin(endless, signal)).rejects.toThrow('longer than 65536 bytes');
    expect(endless.destroyed).toBe(true);
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    const read = readStdin(new PassThrough(), abort.signal);
    abort.abort();
    await expect(read).rejects.toThrow();
  });
});
