import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { interruptible } from '../../src/cli/interruptible.ts';
import { catchInterrupts } from '../../src/cli/interrupts.ts';
import type { Interrupts } from '../../src/cli/interrupts.ts';

function start(): { source: EventEmitter; interrupts: Interrupts; insisted: number[] } {
  const source = new EventEmitter();
  const insisted: number[] = [];
  const interrupts = catchInterrupts(source as unknown as NodeJS.Process, (signal) => insisted.push(signal));
  return { source, interrupts, insisted };
}

describe('catchInterrupts()', () => {
  it.each([
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ])('aborts at the first %s', (name, number) => {
    const { source, interrupts, insisted } = start();
    source.emit(name, name, number);
    expect(interrupts.signal.aborted).toBe(true);
    expect(interrupts.received()).toBe(number);
    expect(insisted).toEqual([]);
  });

  it('does not let a second signal wait', () => {
    const { source, interrupts, insisted } = start();
    source.emit('SIGINT', 'SIGINT', 2);
    source.emit('SIGTERM', 'SIGTERM', 15);
    expect(insisted).toEqual([15]);
    expect(interrupts.received()).toBe(2);
  });

  // signal-exit, which proper-lockfile brings, ends the process when it finds itself to be the only listener.
  it('keeps listening while the work comes to its end', () => {
    const { source } = start();
    source.emit('SIGINT', 'SIGINT', 2);
    expect(source.listenerCount('SIGINT')).toBe(1);
  });

  it('hands signals to a listener as long as there is one, and others too', () => {
    const { source, interrupts } = start();
    const heard: string[] = [];
    const stop = interrupts.divert((signal) => heard.push(signal));
    for (const [name, number] of [
      ['SIGINT', 2],
      ['SIGQUIT', 3],
      ['SIGUSR1', 10],
      ['SIGUSR2', 12],
      ['SIGINT', 2],
    ] as const)
      source.emit(name, name, number);
    expect(heard).toEqual(['SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGINT']);
    expect(interrupts.signal.aborted).toBe(false);
    stop();
    expect(['SIGQUIT', 'SIGUSR1', 'SIGUSR2'].map((name) => source.listenerCount(name))).toEqual([0, 0, 0]);
    source.emit('SIGINT', 'SIGINT', 2);
    expect(heard).toHaveLength(5);
    expect(interrupts.signal.aborted).toBe(true);
  });

  it('leaves nothing behind when it is released', () => {
    const { source, interrupts } = start();
    interrupts.divert(() => undefined);
    interrupts.release();
    expect(source.eventNames()).toEqual([]);
  });
});

describe('interruptible()', () => {
  it('answers with 128 + n when a signal made the work fail', async () => {
    const { source, interrupts } = start();
    const work = interruptible({ catchInterrupts: () => interrupts }, async ({ signal }) => {
      source.emit('SIGINT', 'SIGINT', 2);
      signal.throwIfAborted();
      return 0;
    });
    await expect(work).resolves.toBe(130);
  });

  it('answers with what the work does when it succeeds in spite of a signal', async () => {
    const { source, interrupts } = start();
    const work = interruptible({ catchInterrupts: () => interrupts }, async () => {
      source.emit('SIGINT', 'SIGINT', 2);
      return 7;
    });
    await expect(work).resolves.toBe(7);
  });

  it('passes other errors on, and releases the signals', async () => {
    const { source, interrupts } = start();
    const work = interruptible({ catchInterrupts: () => interrupts }, async () => {
      throw new Error('other');
    });
    await expect(work).rejects.toThrow('other');
    expect(source.eventNames()).toEqual([]);
  });
});
