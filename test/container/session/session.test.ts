import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { TerminalStreams } from '../../../src/container/connect-terminal.ts';
import type { RunResult } from '../../../src/container/run-container.ts';
import { openConnection, type Connection } from '../../../src/container/session/connection.ts';
import { DEFAULT_DETACH_KEYS } from '../../../src/container/session/detach-keys.ts';
import { followSession, type SessionEnd } from '../../../src/container/session/follow-session.ts';
import { PROTOCOL_VERSION } from '../../../src/container/session/message.ts';
import { serveSession, type SessionContainer } from '../../../src/container/session/serve-session.ts';
import { connectInFolder } from '../../../src/container/session/session-socket.ts';
import { createSignalRelay } from '../../../src/container/session/signal-relay.ts';
import { ToolError } from '../../../src/errors.ts';

const SIZE = { columns: 80, rows: 24 };
const ENDED = { containerId: 'a', exitCode: 3, isOutOfMemory: false };

/** A caller at a terminal. */
interface Caller {
  keys: PassThrough;
  screen: PassThrough;
  terminal: TerminalStreams;
  /** Whether it is raw. */
  isConnected: () => boolean;
  goAway: () => void;
}

function openCaller(): Caller {
  const keys = new PassThrough();
  const screen = new PassThrough({ encoding: 'utf8' });
  let connected = false;
  let onGone = (): void => undefined;
  return {
    keys,
    screen,
    terminal: {
      input: keys,
      output: screen,
      size: () => SIZE,
      onConnect: () => (connected = true),
      onDisconnect: () => (connected = false),
      onHangUp: (listener) => {
        onGone = listener;
        return () => undefined;
      },
    },
    isConnected: () => connected,
    goAway: () => onGone(),
  };
}

describe('serveSession(), followSession()', () => {
  let folder: string;
  let ends: Socket[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mydocker-session-'));
    mkdirSync(join(folder, 'deep'.repeat(40)));
    ends = [];
  });
  afterEach(() => {
    for (const end of ends) end.destroy();
    rmSync(folder, { recursive: true });
  });

  const container = (): string => join(folder, 'deep'.repeat(40)); // longer than the path of a socket can be

  async function socketPair(): Promise<[Socket, Socket]> {
    const server = createServer().listen(join(folder, 'pair'));
    await once(server, 'listening');
    const near = connect(join(folder, 'pair'));
    const [far] = (await once(server, 'connection')) as [Socket];
    server.close();
    ends.push(near, far);
    return [near, far];
  }

  /** What stands for a container: it runs from `start` until `end` is called, or it is told to end. */
  async function open() {
    const [near, far] = await socketPair();
    let end!: (result: RunResult | Promise<never>) => void;
    const result = new Promise<RunResult>((resolve) => (end = resolve));
    const received: string[] = [];
    let given!: SessionContainer;
    const start = (): void => {
      given.signals?.((name) => received.push(name));
      given.onStarted?.({ id: 'a', name: 'a' });
      given.terminal.input?.setEncoding('utf8').on('data', (text: string) => received.push(text));
      given.terminal.onHangUp?.(() => received.push('hung up'));
      given.terminal.onConnect?.();
    };
    const served = serveSession({
      owner: openConnection(far),
      size: SIZE,
      relay: createSignalRelay(),
      run: async (container) => {
        given = container;
        return result;
      },
      folderOf: container,
    });
    return { near, owner: openConnection(near), served, start, end, received, container: given };
  }

  async function follow(connection: Connection, caller: Caller, isOwner: boolean): Promise<SessionEnd> {
    const { terminal } = caller;
    return followSession({ connection, terminal, detachKeys: DEFAULT_DETACH_KEYS, isOwner });
  }

  async function attach(): Promise<Connection> {
    const stream = await connectInFolder(container());
    if (stream === undefined) throw new Error('nobody listens');
    ends.push(stream);
    const connection = openConnection(stream);
    void connection.send({ kind: 'attach', version: PROTOCOL_VERSION });
    return connection;
  }

  async function shown(caller: Caller, text: string): Promise<void> {
    let all = '';
    while (!all.includes(text)) all += ((await once(caller.screen, 'data')) as [string])[0];
  }

  it('carry keys, output and the exit code; the terminal is raw in between alone', async () => {
    const session = await open();
    const caller = openCaller();
    const ended = follow(session.owner, caller, true);
    expect(caller.isConnected()).toBe(false);
    session.start();
    await expect.poll(caller.isConnected).toBe(true);
    caller.keys.write('ls\r');
    await expect.poll(() => session.received).toEqual(['ls\r']);
    session.container.terminal.output.write('all that is there');
    await shown(caller, 'all that is there');
    session.container.terminal.output.write('the last words');
    session.end(ENDED);
    expect(await ended).toMatchObject(ENDED);
    expect(caller.screen.read()).toBe('the last words');
    expect(caller.isConnected()).toBe(false);
    await session.served;
    expect(existsSync(join(container(), 'socket'))).toBe(false);
  });

  it('go on without the one who detaches, and tell the end to who has come later', async () => {
    const session = await open();
    const caller = openCaller();
    const detached = follow(session.owner, caller, true);
    session.start();
    await expect.poll(caller.isConnected).toBe(true);
    expect(statSync(join(container(), 'socket')).mode & 0o777).toBe(0o600);
    caller.keys.write('a\x10');
    caller.keys.write('\x11b');
    expect(await detached).toBe('detached');
    session.container.terminal.output.write('nobody sees this');

    const [one, two] = [openCaller(), openCaller()];
    const both = [follow(await attach(), one, false), follow(await attach(), two, false)];
    await expect.poll(() => one.isConnected() && two.isConnected()).toBe(true);
    session.container.terminal.output.write('for all');
    await Promise.all([shown(one, 'for all'), shown(two, 'for all')]);
    one.keys.write('1');
    await expect.poll(() => session.received).toEqual(['a', '1']);
    session.end(ENDED);
    expect(await Promise.all(both)).toMatchObject([ENDED, ENDED]);
    await session.served;
    expect(await connectInFolder(container())).toBeUndefined();
  });

  it('X31 kill the command when its owner has gone without a word, but not for a guest', async () => {
    const session = await open();
    const owner = openCaller();
    void follow(session.owner, owner, true).catch(() => undefined);
    session.start();
    await expect.poll(owner.isConnected).toBe(true);
    const guest = await attach();
    const caller = openCaller();
    const lost = follow(guest, caller, false);
    await expect.poll(caller.isConnected).toBe(true);
    guest.destroy();
    await expect(lost).rejects.toMatchObject({ code: 'ERR_CONTAINER' });
    expect(caller.isConnected()).toBe(false);
    owner.keys.write('still here');
    await expect.poll(() => session.received).toEqual(['still here']);
    session.near.destroy();
    await expect.poll(() => session.received).toEqual(['still here', 'SIGKILL']);
    session.end({ ...ENDED, exitCode: 137 });
    await session.served;
  });

  it('stop what is being prepared for an owner who has gone', async () => {
    const session = await open();
    session.near.destroy();
    await expect.poll(() => session.container.signal?.aborted).toBe(true);
    session.end(Promise.reject(new ToolError('ERR_ABORTED', 'it was stopped')));
    await session.served;
  });

  it('hand on an abort, and the error that it leads to', async () => {
    const session = await open();
    const interrupt = new AbortController();
    const { terminal } = openCaller();
    const { owner: connection } = session;
    const ended = followSession({
      connection,
      terminal,
      detachKeys: DEFAULT_DETACH_KEYS,
      isOwner: true,
      signal: interrupt.signal,
    });
    interrupt.abort();
    await expect.poll(() => session.container.signal?.aborted).toBe(true);
    session.end(Promise.reject(new ToolError('ERR_ABORTED', 'it was stopped', { hint: 'Do not.' })));
    await expect(ended).rejects.toMatchObject({ code: 'ERR_ABORTED', message: 'it was stopped', hint: 'Do not.' });
  });

  it('hang up for an owner whose terminal has gone, and only for the owner', async () => {
    const session = await open();
    const owner = openCaller();
    const ended = follow(session.owner, owner, true);
    session.start();
    await expect.poll(owner.isConnected).toBe(true);
    const guest = openCaller();
    const left = follow(await attach(), guest, false);
    await expect.poll(guest.isConnected).toBe(true);
    guest.goAway();
    await expect(left).rejects.toThrow();
    expect(session.received).toEqual([]);
    owner.goAway();
    await expect.poll(() => session.received).toEqual(['hung up']);
    session.end({ ...ENDED, exitCode: 129 });
    expect(await ended).toMatchObject({ exitCode: 129 });
  });

  it('say so when the process that looks after the container is killed', async () => {
    const session = await open();
    const caller = openCaller();
    const ended = follow(session.owner, caller, true);
    session.start();
    await expect.poll(caller.isConnected).toBe(true);
    for (const end of ends) if (end !== session.near) end.destroy();
    await expect(ended).rejects.toMatchObject({
      code: 'ERR_CONTAINER',
      message: expect.stringContaining('was killed, and the container with it') as string,
    });
    expect(caller.isConnected()).toBe(false);
  });

  it('let output wait for the slowest client, and no longer than it is there', async () => {
    const session = await open();
    const caller = openCaller();
    const ended = follow(session.owner, caller, true);
    session.start();
    await expect.poll(caller.isConnected).toBe(true);
    const stalled = await attach(); // never reads
    await expect.poll(async () => roomFor(session.container.terminal.output)).toBe(false);
    caller.screen.resume();
    expect(session.container.terminal.output.writableNeedDrain).toBe(true);
    stalled.destroy();
    await once(session.container.terminal.output, 'drain');
    session.end(ENDED);
    expect(await ended).toMatchObject(ENDED);
  });

  it('hand out all of the output before the end, to a slow client too', async () => {
    const session = await open();
    const caller = openCaller();
    const ended = follow(session.owner, caller, true);
    session.start();
    await expect.poll(caller.isConnected).toBe(true);
    const pieces = 30;
    for (let piece = 0; piece < pieces; piece += 1) session.container.terminal.output.write(Buffer.alloc(100_000));
    session.end(ENDED);
    let received = 0;
    caller.screen.on('data', (text: string) => (received += text.length));
    expect(await ended).toMatchObject(ENDED);
    await expect.poll(() => received).toBe(pieces * 100_000);
  });

  it('set the size that was told last, and another one first for who has just attached', async () => {
    const session = await open();
    const sizes: unknown[] = [];
    const { terminal } = session.container;
    terminal.onResize?.(async () => void sizes.push(terminal.size()));
    const caller = openCaller();
    void follow(session.owner, caller, true).catch(() => undefined);
    session.start();
    await expect.poll(caller.isConnected).toBe(true);
    await session.owner.send({ kind: 'size', columns: 90, rows: 20 });
    await expect.poll(() => sizes).toEqual([{ columns: 90, rows: 20 }]);
    void follow(await attach(), openCaller(), false).catch(() => undefined);
    await expect.poll(() => sizes.slice(1)).toEqual([{ columns: 81, rows: 25 }, SIZE]); // programs draw anew
  });

  it('refuse a client of another version', async () => {
    const session = await open();
    session.start();
    const stream = await connectInFolder(container());
    if (stream === undefined) throw new Error('nobody listens');
    ends.push(stream);
    const connection = openConnection(stream);
    void connection.send({ kind: 'attach', version: PROTOCOL_VERSION + 1 });
    await expect(follow(connection, openCaller(), false)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
  });
});

/** Writes a megabyte; whether more could be written. */
async function roomFor(output: TerminalStreams['output']): Promise<boolean> {
  if (!output.writableNeedDrain) output.write(Buffer.alloc(1024 * 1024));
  await new Promise((resolve) => setImmediate(resolve));
  return !output.writableNeedDrain;
}
