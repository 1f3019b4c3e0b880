import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askTerminal } from '../../src/cli/ask-terminal.ts';

interface Asked {
  answer: Promise<string>;
  input: PassThrough;
  written: string[];
  interrupts: () => number;
  abort: AbortController;
}

function ask(isHidden: boolean): Asked {
  const input = new PassThrough();
  const written: string[] = [];
  let interrupts = 0;
  const abort = new AbortController();
  const answer = askTerminal('Question: ', {
    input,
    write: (text) => void written.push(text),
    interrupt: () => void (interrupts += 1),
    isHidden,
    signal: abort.signal,
  });
  return { answer, input, written, interrupts: () => interrupts, abort };
}

describe('askTerminal()', () => {
  it('answers with the line typed', async () => {
    const { answer, input, written } = ask(false);
    input.write(' us er \nmore');
    expect(await answer).toBe(' us er ');
    expect(written).toEqual(['Question: ']);
  });

  it.each([
    ['a line', 'pa ss\r', 'pa ss'],
    ['what was corrected', 'paX\u007fss\r', 'pass'],
    ['what was begun anew', 'wrong\u0015right\r', 'right'],
    ['other alphabets', 'пароль€\r', 'пароль€'],
    ['only the first of several lines', 'a\nb\n', 'a'],
    ['nothing at the end of the input', '\u0004', ''],
  ])('reads a hidden answer without showing it: %s', async (_, typed, expected) => {
    const { answer, input, written } = ask(true);
    input.write(typed);
    expect(await answer).toBe(expected);
    expect(written).toEqual(['Question: ', '\n']);
  });

  it('takes the end of the input for an empty answer', async () => {
    const { answer, input } = ask(false);
    input.end();
    expect(await answer).toBe('');
  });

  it('hands on Ctrl-C, which ends it through the signal', async () => {
    const { answer, input, interrupts, abort } = ask(true);
    input.write('pa\u0003');
    await expect.poll(interrupts).toBe(1);
    abort.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('asks nothing when it was stopped before', async () => {
    const written: string[] = [];
    const answer = askTerminal('Question: ', {
      input: new PassThrough(),
      write: (text) => void written.push(text),
      interrupt: () => undefined,
      isHidden: true,
      signal: AbortSignal.abort(),
    });
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    expect(written).toEqual([]);
  });
});
