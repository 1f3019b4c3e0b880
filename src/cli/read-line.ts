import type { Readable } from 'node:stream';

const MAX_LINE = 65_536; // characters; more is no answer of a person

/** The next line of `stream`, without its end; what there is at its end. Nothing can be read after it. Rejects on an abort. */
export async function readLine(stream: Readable, signal: AbortSignal): Promise<string> {
  const stop = (): void => void stream.destroy(signal.reason as Error);
  signal.throwIfAborted();
  signal.addEventListener('abort', stop);
  let text = '';
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      text += String(chunk);
      if (text.includes('\n') || text.length > MAX_LINE) break;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return text.split('\n', 1)[0] ?? '';
}
