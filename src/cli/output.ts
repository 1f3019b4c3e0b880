import { writeSync } from 'node:fs';
import type { Output } from './context.ts';

type Stream = Pick<NodeJS.WriteStream, 'columns' | 'rows'>;

/**
 * Standard output or error. Written to directly: what was written is out even if the process is killed next, and most
 * commands never need Node's stream, which is only opened (`openStream`) to ask a terminal for its size.
 */
export function createOutput(fd: number, openStream: () => Stream, onBrokenPipe: () => void): Output {
  return {
    get isTerminal() {
      return isTerminal(fd);
    },
    columns: () => (isTerminal(fd) ? positive(openStream().columns, UNKNOWN_COLUMNS) : 80),
    rows: () => (isTerminal(fd) ? positive(openStream().rows, 24) : 24),
    write: (text) => {
      try {
        writeAll(fd, Buffer.from(text));
      } catch (error) {
        if (!isError(error, 'EPIPE')) throw error;
        onBrokenPipe();
      }
    },
  };
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // Whoever reads the pipe has made it non-blocking, for both sides, and is slow.
      if (!isError(error, 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}

const PAUSE = 5; // milliseconds

const UNKNOWN_COLUMNS = 200; // docker's for a terminal that does not know its size

function positive(size: number, otherwise: number): number {
  return size > 0 ? size : otherwise;
}

/** Loads node:tty, which takes a millisecond, only for those who ask. */
export function isTerminal(fd: number): boolean {
  return process.getBuiltinModule('node:tty').isatty(fd);
}

function isError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
