import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Question } from './context.ts';

export interface AskOptions extends Question {
  input: NodeJS.ReadableStream;
  write: (text: string) => void;
  /** What Ctrl-C does while the terminal hands it on as a key. */
  interrupt: () => void;
}

/**
 * Asks a question at a terminal and answers with the line typed, '' at the end of the input. A hidden answer is read
 * key by key with the echo off, and edited as a shell's line is; the terminal is set back whatever happens.
 */
export async function askTerminal(question: string, options: AskOptions): Promise<string> {
  const { input, write, interrupt, isHidden, signal } = options;
  signal.throwIfAborted();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: isHidden, historySize: 0 });
  lines.on('SIGINT', interrupt);
  write(question); // not before the echo is off
  try {
    const ended = once(lines, 'close', { signal }).then(() => ['']);
    const [line] = (await Promise.race([once(lines, 'line', { signal }), ended])) as [string];
    return line;
  } finally {
    lines.close();
    if (isHidden) write('\n');
  }
}
