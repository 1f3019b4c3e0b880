import { spawnSync } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { TerminalStreams } from '../container/connect-terminal.ts';
import type { TerminalSize } from '../linux/pseudo-terminal.ts';

/** What this needs of Node's process. */
export interface TerminalProcess {
  stdin: Readable & Pick<NodeJS.ReadStream, 'isTTY' | 'setRawMode'>;
  /** The sizes are there if it is a terminal. */
  stdout: Writable & Partial<TerminalSize>;
}

/**
 * The terminal of this process, for a container that has one of its own: raw as long as the container is connected, so that every key
 * reaches it, Ctrl-C included. Node itself restores the mode where this process ends before that.
 */
export function openTerminal(
  { stdin, stdout }: TerminalProcess,
  isInteractive: boolean,
  keepOutput: () => void = passOutputUnchanged,
): TerminalStreams {
  const isRaw = isInteractive && stdin.isTTY;
  return {
    input: isInteractive ? stdin : undefined,
    output: stdout,
    size: () => ({ columns: stdout.columns ?? UNKNOWN.columns, rows: stdout.rows ?? UNKNOWN.rows }),
    onResize: (listener) => {
      const onResize = (): void => void listener();
      stdout.on('resize', onResize);
      return () => void stdout.off('resize', onResize);
    },
    ...(isRaw && { onHangUp: (listener) => whenGone(stdin, listener) }),
    onConnect: () => {
      if (!isRaw) return;
      stdin.setRawMode(true);
      keepOutput();
    },
    onDisconnect: () => {
      if (isRaw) stdin.setRawMode(false);
    },
  };
}

/**
 * Node's raw mode goes on adding a carriage return to each line feed. The container's terminal has done so where it is wanted; a program
 * on the whole screen moves down a column with a bare one. Node has no call for it; its own way back restores this as well.
 */
function passOutputUnchanged(): void {
  // Without a stty it stays as it was.
  spawnSync('stty', ['-opost'], {
    stdio: ['inherit', 'ignore', 'ignore'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
}

const PATIENCE_MS = 1000;

/** A terminal that has gone reads as ended, or as an error. */
function whenGone(stdin: Readable, listener: () => void): () => void {
  stdin.once('end', listener);
  stdin.once('error', listener);
  return () => {
    stdin.off('end', listener);
    stdin.off('error', listener);
  };
}

/** Of an output that is no terminal. */
const UNKNOWN = { columns: 80, rows: 24 };
