import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Context, Output } from '../../../src/cli/context.ts';
import type { EngineApi } from '../../../src/cli/engine-api.ts';
import { openTerminal } from '../../../src/cli/open-terminal.ts';
import { catchInterrupts } from '../../../src/cli/interrupts.ts';

export interface FakeContext extends Context {
  /** What was written so far. */
  out: () => string;
  err: () => string;
  /** Stands for the process: emit `'SIGINT', 'SIGINT', 2` on it. */
  signals: EventEmitter;
}

export const NOW = Date.UTC(2024, 0, 2, 12);

const NO_TERMINAL = Object.assign(new PassThrough(), { isTTY: false, setRawMode: () => undefined as never });

/** A context whose outputs are kept, and whose engine has the given operations. Any other operation fails the test. */
export function fakeContext(engine: Partial<EngineApi> = {}, options: Partial<Context> = {}): FakeContext {
  const stdout = fakeOutput();
  const stderr = fakeOutput();
  const signals = new EventEmitter();
  const unexpected = (): never => {
    throw new Error('an operation that was not expected');
  };
  return {
    stdout,
    stderr,
    stdinIsTerminal: () => false,
    readStdin: unexpected,
    ask: unexpected,
    readLine: unexpected,
    openTerminal: async ({ isInteractive }) =>
      openTerminal({ stdin: NO_TERMINAL, stdout: new PassThrough() }, isInteractive),
    env: {},
    home: undefined,
    now: () => NOW,
    catchInterrupts: () => catchInterrupts(signals as unknown as NodeJS.Process, unexpected),
    engine: {
      pull: unexpected,
      images: unexpected,
      imageLabels: unexpected,
      removeImage: unexpected,
      tag: unexpected,
      protect: unexpected,
      unprotect: unexpected,
      partialDownloads: unexpected,
      removePartialDownload: unexpected,
      run: unexpected,
      attach: unexpected,
      containers: unexpected,
      stopContainer: unexpected,
      killContainer: unexpected,
      removeContainer: unexpected,
      login: unexpected,
      storedLogin: unexpected,
      logout: unexpected,
      pruneImages: unexpected,
      pruneContainers: unexpected,
      diskUsage: unexpected,
      verify: unexpected,
      examineHost: unexpected,
      ...engine,
    },
    ...options,
    out: stdout.text,
    err: stderr.text,
    signals,
  };
}

/** Keeps what is written. A terminal of the given size, or none. */
export function fakeOutput(terminal?: { columns: number; rows: number }): Output & { text: () => string } {
  let text = '';
  return {
    write: (more) => {
      text += more;
    },
    isTerminal: terminal !== undefined,
    columns: () => terminal?.columns ?? 80,
    rows: () => terminal?.rows ?? 24,
    text: () => text,
  };
}
