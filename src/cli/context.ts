import type { TerminalStreams } from '../container/connect-terminal.ts';
import type { EngineApi } from './engine-api.ts';
import type { Interrupts } from './interrupts.ts';

/** What a command has of the process that it runs in. */
export interface Context {
  stdout: Output;
  stderr: Output;
  stdinIsTerminal: () => boolean;
  /** The caller's terminal, for a container with one of its own; what is typed only if `isInteractive`. */
  openTerminal: (options: { isInteractive: boolean }) => TerminalStreams;
  env: Readonly<Record<string, string | undefined>>;
  /** Folder of the store, where the caller named one. */
  home: string | undefined;
  engine: EngineApi;
  /** Milliseconds since 1970. */
  now: () => number;
  /** From the first call on, signals no longer end the process. */
  catchInterrupts: () => Interrupts;
}

export interface Output {
  write: (text: string) => void;
  isTerminal: boolean;
  /** Of the terminal now; 80 by 24 where there is none. */
  columns: () => number;
  rows: () => number;
}
