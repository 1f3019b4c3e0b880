import { PassThrough, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { TerminalSize } from '../../linux/pseudo-terminal.ts';
import type { TerminalStreams } from '../connect-terminal.ts';
import type { Connection } from './connection.ts';
import type { SupervisorMessage } from './message.ts';

/** The far end of a container's terminal, at which any number of clients may be, or none. */
export interface SharedTerminal {
  /** What the container is connected with. */
  streams: TerminalStreams;
  /** From now on it is shown what the terminal shows. */
  join(client: Connection): void;
  leave(client: Connection): void;
  type(keys: Uint8Array): void;
  /** Whoever has said it last decides. */
  resize(size: TerminalSize): Promise<void>;
  /** The same, and programs that draw on the screen do so anew. */
  redraw(size: TerminalSize): Promise<void>;
  hangUp(): void;
  /** Tells all clients how it has ended, and those who come later. */
  end(last: SupervisorMessage): Promise<void>;
}

/**
 * Output waits for the slowest client, so little of it is kept here; without any client it is lost.
 * `onConnect` is called when the command has got the terminal.
 */
export function createSharedTerminal(initial: TerminalSize, onConnect: () => void): SharedTerminal {
  const clients = new Set<Connection>();
  const input = new PassThrough();
  const output = createOutput(clients);
  const { size, onResize, ...sizes } = createSharedSize(initial);
  const gone = new AbortController();
  let ending: SupervisorMessage | undefined;
  return {
    streams: {
      input,
      output,
      size,
      onResize,
      onHangUp: (listener) => {
        if (gone.signal.aborted) queueMicrotask(listener);
        gone.signal.addEventListener('abort', listener);
        return () => gone.signal.removeEventListener('abort', listener);
      },
      onConnect,
    },
    ...sizes,
    join: (client) => {
      clients.add(client);
      if (ending !== undefined) void say(client, ending);
    },
    leave: (client) => void clients.delete(client),
    type: (keys) => void input.write(keys),
    hangUp: () => gone.abort(),
    end: async (last) => {
      output.end();
      await finished(output);
      ending = last;
      await Promise.all([...clients].map(async (client) => say(client, last)));
    },
  };
}

async function say(client: Connection, last: SupervisorMessage): Promise<void> {
  void client.send(last);
  await client.end();
}

function createOutput(clients: ReadonlySet<Connection>): Writable {
  return new Writable({
    write: (bytes: Uint8Array, _encoding, done) => {
      const sent = [...clients].map(async (client) => client.send({ kind: 'output', bytes }));
      void Promise.all(sent).finally(done);
    },
  });
}

type SharedSize = Pick<SharedTerminal, 'resize' | 'redraw'> & Required<Pick<TerminalStreams, 'size' | 'onResize'>>;

function createSharedSize(initial: TerminalSize): SharedSize {
  let size = initial;
  let listener: (() => Promise<void>) | undefined;
  const resize = async ({ columns, rows }: TerminalSize): Promise<void> => {
    if (columns === size.columns && rows === size.rows) return;
    size = { columns, rows };
    await listener?.();
  };
  return {
    size: () => size,
    onResize: (onResize) => {
      listener = onResize;
      return () => {
        listener = undefined;
      };
    },
    resize,
    // As docker does: the kernel tells programs of a size only if it is another one.
    redraw: async (wanted) => {
      await resize({ columns: wanted.columns + 1, rows: wanted.rows + 1 });
      await resize(wanted);
    },
  };
}
