import type { Readable } from 'node:stream';
import { CliError } from './cli-error.ts';

const MAX_INPUT = 64 * 1024; // bytes

/** All of a stream that holds a secret, as text. */
export async function readStdin(stream: Readable, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stop = (): void => void stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > MAX_INPUT) throw new CliError(`the standard input is longer than ${MAX_INPUT} bytes`);
      chunks.push(chunk);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks).toString();
}
