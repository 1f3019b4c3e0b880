import type { Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { startRunner } from '../linux/runner.ts';
import { resizeSteps } from '../linux/pseudo-terminal.ts';
import type { TerminalSize } from '../linux/pseudo-terminal.ts';

/** What stands at the other end of a container's terminal. */
export interface TerminalStreams {
  /** What is typed; nothing unless given. */
  input?: Readable | undefined;
  /** Gets what the terminal shows, byte for byte. */
  output: Writable;
  size: () => TerminalSize;
  /** Calls `listener` when the size changes, until the function that it returns is called; the promise tells when that has been seen to. */
  onResize?: ((listener: () => Promise<void>) => () => void) | undefined;
  /** Calls `listener` when the other end has gone for good, until the function that it returns is called: the terminal hangs up. */
  onHangUp?: ((listener: () => void) => () => void) | undefined;
  /** The command runs: what is typed is its own from now on. Raw mode begins here. */
  onConnect?: (() => void) | undefined;
  /** The end, whatever it was. */
  onDisconnect?: (() => void) | undefined;
}

export interface TerminalConnection {
  /** Resolves when everything has been handed out that was written before the last program closed the terminal. */
  finish: () => Promise<void>;
}

/**
 * Passes on what is typed and what is shown, and the size. The master is closed at the end.
 * Programs of the host may have been handed the terminal (`pid: 'host'`): they are waited for a moment only.
 */
export function connectTerminal(
  master: number,
  streams: TerminalStreams,
  { runnerFolder, onHangUp }: { runnerFolder: string; onHangUp: () => void },
): TerminalConnection {
  const { input, output } = streams;
  const stream = new ReadStream(master);
  const ended = new Promise<void>((resolve) => {
    stream.on('error', () => resolve()); // EIO: nobody has the terminal open any more
    stream.on('close', () => resolve());
  });
  stream.pipe(output, { end: false });
  const type = (chunk: Uint8Array): void => void stream.write(chunk);
  input?.on('data', type);
  // The end of a file is not that of the terminal: programs may have more to say.
  const endOfFile = (): void => void stream.write(END_OF_TRANSMISSION);
  if (streams.onHangUp === undefined) input?.once('end', endOfFile);
  const resize = async (): Promise<void> => {
    if (stream.destroyed) return; // the master's number may be that of something else
    const program = resizeSteps(0, streams.size());
    await startRunner({ program, stdio: [master, 'ignore', 'ignore'], runnerFolder }).exited;
  };
  const stopResizing = streams.onResize?.(inTurn(resize));
  const stopListening = streams.onHangUp?.(() => {
    stream.destroy();
    onHangUp();
  });
  streams.onConnect?.();
  return {
    finish: async () => {
      await Promise.race([ended, setTimeout(PATIENCE_MS, undefined, { ref: false })]);
      stopResizing?.();
      stopListening?.();
      input?.off('data', type);
      input?.off('end', endOfFile);
      input?.pause();
      stream.destroy();
      streams.onDisconnect?.();
    },
  };
}

/** One at a time: else the last size might be the first to arrive. A size that cannot be set is no reason to end the command. */
function inTurn(work: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return async () => {
    last = last.then(work).catch(() => undefined);
    return last;
  };
}

const PATIENCE_MS = 1000;

const END_OF_TRANSMISSION = '\x04'; // what Ctrl-D types
