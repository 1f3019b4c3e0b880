import type { Socket } from 'node:net';
import { ToolError } from '../../errors.ts';
import type { StartedContainer, RunRequest, RunResult } from '../run-container.ts';
import type { TerminalSize } from '../../linux/pseudo-terminal.ts';
import type { TerminalStreams } from '../connect-terminal.ts';
import { openConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { describeFailure } from './failure.ts';
import { PROTOCOL_VERSION } from './message.ts';
import type { Message, SupervisorMessage } from './message.ts';
import { checkClient, listenInFolder } from './session-socket.ts';
import { createSharedTerminal } from './shared-terminal.ts';
import type { SharedTerminal } from './shared-terminal.ts';
import type { SignalRelay } from './signal-relay.ts';

export interface SessionRequest {
  /** Whose container it is, until it detaches: without it the container is killed. */
  owner: Connection;
  /** Of the owner's terminal. */
  size: TerminalSize;
  relay: SignalRelay;
  /** Runs the container to its end. */
  run: (container: SessionContainer) => Promise<RunResult>;
  /** The container's folder. */
  folderOf: (id: string) => string;
}

/** What a container needs in order to be run in a session. */
export interface SessionContainer extends Pick<RunRequest, 'signals' | 'signal' | 'onStarted'> {
  terminal: TerminalStreams;
}

/** Runs a container, and connects it with its owner and with everybody who attaches to it. Resolves when all of them know its end. */
export async function serveSession({ owner, size, relay, run, folderOf }: SessionRequest): Promise<void> {
  const terminal = createSharedTerminal(size, () => void owner.send({ kind: 'started' }));
  let stopListening: (() => void) | undefined;
  terminal.join(owner);
  void followOwner(owner, terminal, relay);
  const onStarted = ({ id, name }: StartedContainer): void => {
    void owner.send({ kind: 'created', id, name });
    stopListening = listenInFolder(folderOf(id), (stream) => void followGuest(stream, terminal));
  };
  const last = await howItEnds(async () =>
    run({ terminal: terminal.streams, signals: relay.source, signal: relay.signal, onStarted }),
  );
  stopListening?.();
  await terminal.end(last);
}

async function howItEnds(run: () => Promise<RunResult>): Promise<SupervisorMessage> {
  try {
    const { containerId, exitCode, isOutOfMemory } = await run();
    return { kind: 'ended', containerId, exitCode, isOutOfMemory };
  } catch (error) {
    return { kind: 'failed', failure: describeFailure(error) };
  }
}

async function followOwner(owner: Connection, terminal: SharedTerminal, relay: SignalRelay): Promise<void> {
  for await (const message of owner.messages) {
    if (message.kind === 'signal') relay.send(message.name);
    else if (message.kind === 'hangUp') terminal.hangUp();
    else if (message.kind === 'abort') relay.abort();
    else if (message.kind === 'detach') return letGo(owner, terminal);
    else await handleKeys(message, terminal);
  }
  terminal.leave(owner);
  relay.send('SIGKILL');
}

/** Somebody who has come later, and may go at any time. */
async function followGuest(stream: Socket, terminal: SharedTerminal): Promise<void> {
  const guest = openConnection(stream);
  try {
    checkClient(stream);
    checkGreeting(await guest.messages.next());
  } catch (error) {
    void guest.send({ kind: 'failed', failure: describeFailure(error) });
    return guest.end();
  }
  void guest.send({ kind: 'started' });
  terminal.join(guest);
  let isNew = true;
  for await (const message of guest.messages) {
    if (message.kind === 'detach') return letGo(guest, terminal);
    if (message.kind === 'size' && isNew) await terminal.redraw(message);
    else await handleKeys(message, terminal);
    isNew &&= message.kind !== 'size';
  }
  terminal.leave(guest);
}

/** @throws {ToolError} ERR_UNSUPPORTED */
function checkGreeting({ value }: IteratorResult<Message, void>): void {
  if (value?.kind === 'attach' && value.version === PROTOCOL_VERSION) return;
  throw new ToolError('ERR_UNSUPPORTED', 'Cannot attach: the container was started by another version of mydocker');
}

async function handleKeys(message: Message, terminal: SharedTerminal): Promise<void> {
  if (message.kind === 'keys') terminal.type(message.bytes);
  else if (message.kind === 'size') await terminal.resize(message);
}

async function letGo(client: Connection, terminal: SharedTerminal): Promise<void> {
  terminal.leave(client);
  void client.send({ kind: 'detached' });
  await client.end();
}
