import { once } from 'node:events';
import { ToolError } from '../../errors.ts';
import type { TerminalStreams } from '../connect-terminal.ts';
import type { SignalSource } from '../forward-signals.ts';
import type { StartedContainer } from '../run-container.ts';
import type { Connection } from './connection.ts';
import { failureError } from './failure.ts';
import { createKeyMatcher } from './key-matcher.ts';

export interface FollowRequest {
  connection: Connection;
  /** Of the caller. */
  terminal: TerminalStreams;
  /** What is typed to leave the container alone. */
  detachKeys: Uint8Array;
  /** Passed on to the command. */
  signals?: SignalSource | undefined;
  /** The supervisor is told to abort, or that the terminal has gone; if not, the connection just ends. */
  isOwner: boolean;
  /** For the owner. */
  onStarted?: ((container: StartedContainer) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** How it has ended for a client; `detached`: it goes on without. */
export type SessionEnd = 'detached' | { containerId: string; exitCode: number; isOutOfMemory: boolean };

/**
 * Connects the caller's terminal with that of a container until one of them ends or the detach keys are typed.
 * @throws {ToolError} what the run of the container has thrown, ERR_CONTAINER when the process that looks after it was killed
 */
export async function followSession(request: FollowRequest): Promise<SessionEnd> {
  const { connection, terminal, isOwner, onStarted, signal } = request;
  let disconnect = (): void => undefined;
  const leave = (): void => {
    if (isOwner) void connection.send({ kind: 'abort' });
    else connection.destroy();
  };
  if (signal?.aborted === true) leave();
  signal?.addEventListener('abort', leave);
  try {
    for await (const message of connection.messages) {
      if (message.kind === 'started') disconnect = connect(request);
      else if (message.kind === 'output') {
        if (!terminal.output.write(message.bytes)) await once(terminal.output, 'drain');
      } else if (message.kind === 'created') onStarted?.({ id: message.id, name: message.name });
      else if (message.kind === 'detached') return 'detached';
      else if (message.kind === 'failed') throw failureError(message.failure);
      else if (message.kind === 'ended') return message;
    }
  } finally {
    disconnect();
    signal?.removeEventListener('abort', leave);
    connection.destroy();
  }
  throw new ToolError(
    'ERR_CONTAINER',
    'Cannot follow the container: the process that looks after it was killed, and the container with it',
  );
}

/** From here on what is typed is the command's. Answers with what ends that. */
function connect({ connection, terminal, detachKeys, signals, isOwner }: FollowRequest): () => void {
  const { input } = terminal;
  const match = createKeyMatcher(detachKeys);
  const type = (piece: Uint8Array): void => {
    const { keys, isComplete } = match(piece);
    if (keys.length > 0) void connection.send({ kind: 'keys', bytes: keys });
    if (!isComplete) return;
    input?.off('data', type);
    void connection.send({ kind: 'detach' });
  };
  const tellSize = async (): Promise<void> => connection.send({ kind: 'size', ...terminal.size() });
  const stopForwarding = signals?.((name) => void connection.send({ kind: 'signal', name }));
  const stopResizing = terminal.onResize?.(tellSize);
  const stopListening = terminal.onHangUp?.(() => {
    if (isOwner) void connection.send({ kind: 'hangUp' });
    else connection.destroy();
  });
  void tellSize();
  terminal.onConnect?.();
  input?.on('data', type);
  return () => {
    input?.off('data', type);
    input?.pause();
    stopForwarding?.();
    stopResizing?.();
    stopListening?.();
    terminal.onDisconnect?.();
  };
}
