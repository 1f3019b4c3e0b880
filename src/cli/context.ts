import type { TerminalStreams } from '../container/connect-terminal.ts';
import type { EngineApi } from './engine-api.ts';
import type { Interrupts } from './interrupts.ts';

/** What a command has of the process that it runs in. */
export interface Context {
  stdout: Output;
  stderr: Output;
  stdinIsTerminal: () => boolean;
  /** All of the standard input. */
  readStdin: (signal: AbortSignal) => Promise<string>;
  /** Asks at the terminal that is the standard input; '' where the input ends. */
  ask: (question: string, options: Question) => Promise<string>;
  /** The next line of standard input, without its end; what there is at its end. Rejects when `signal` is aborted. */
  readLine: (signal: AbortSignal) => Promise<string>;
  /** The caller's terminal, for a container with one of its own; what is typed only if `isInteractive`. */
  openTerminal: (options: { isInteractive: boolean }) => Promise<TerminalStreams>;
  env: Readonly<Record<string, string | undefined>>;
  /** Folder of the store, where the caller named one. */
  home: string | undefined;
  engine: EngineApi;
  /** Milliseconds since 1970. */
  now: () => number;
  /** From the first call on, signals no longer end the process. */
  catchInterrupts: () => Interrupts;
}

export interface Question {
  /** What is typed does not appear. */
  isHidden: boolean;
  signal: AbortSignal;
}

export interface Output {
  write: (text: string) => void;
  isTerminal: boolean;
  /** Of the terminal now; 80 by 24 where there is none. */
  columns: () => number;
  rows: () => number;
}
