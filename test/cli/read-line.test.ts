import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readLine } from '../../src/cli/read-line.ts';

const { signal } = new AbortController();

describe('readLine()', () => {
  it.each([
    [['y\n'], 'y'],
    [['y', 'es', '\nmore\n'], 'yes'],
    [['last'], 'last'],
    [[], ''],
    [['\n'], ''],
    [['€\n'.slice(0, 1), '\n'], '€'],
  ])('answers from %j with %j', async (chunks, line) => {
    expect(await readLine(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), signal)).toBe(line);
  });

  it('reads no more than an answer of a person can be', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(10_000, 'y');
      })(),
    );
    expect((await readLine(endless, signal)).length).toBeLessThan(100_000);
  });

  it('rejects when it is aborted, before and while it waits', async () => {
    const controller = new AbortController();
    const waiting = readLine(new Readable({ read: () => undefined }), controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow('aborted');
    await expect(readLine(Readable.from([]), controller.signal)).rejects.toThrow('aborted');
  });
});
