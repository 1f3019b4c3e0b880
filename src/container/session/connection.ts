import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { createMessageDecoder, encodeMessage } from './message.ts';
import type { Message } from './message.ts';

/** One of the two ends between a client and a supervisor. Nothing here fails: an end that has gone is the end of the messages. */
export interface Connection {
  /** Resolves when there is room for more, or nobody is there any more. */
  send(message: Message): Promise<void>;
  /** What arrives, until the other side ends or sends what is no message. To be read once. */
  readonly messages: AsyncGenerator<Message, void>;
  /** Resolves when all that was sent is out of this process's hands. */
  end(): Promise<void>;
  /** At once, whatever is under way. */
  destroy(): void;
}

export function openConnection(stream: Duplex): Connection {
  stream.on('error', () => undefined); // 'close' follows
  return {
    send: async (message) => {
      if (!stream.writable || stream.write(encodeMessage(message))) return;
      await untilOne(stream, 'drain');
    },
    messages: readMessages(stream),
    end: async () => {
      if (stream.writableFinished || stream.destroyed) return;
      stream.end();
      await untilOne(stream, 'finish');
    },
    destroy: () => void stream.destroy(),
  };
}

/** Waits for the event, or for the end of the stream. */
async function untilOne(stream: Duplex, event: 'drain' | 'finish'): Promise<void> {
  if (stream.destroyed) return;
  const waiting = new AbortController();
  const options = { signal: waiting.signal };
  await Promise.race([once(stream, event, options), once(stream, 'close', options)]).catch(() => undefined);
  waiting.abort();
}

async function* readMessages(stream: Duplex): AsyncGenerator<Message, void> {
  const decode = createMessageDecoder();
  try {
    for await (const piece of stream.iterator({ destroyOnReturn: false })) yield* decode(piece as Buffer);
  } catch {
    stream.destroy();
  }
}
