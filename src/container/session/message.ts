import type { ErrorCode } from '../../errors.ts';
import type { TerminalSize } from '../../linux/pseudo-terminal.ts';

/** What the clients of a container's terminal and the process that looks after the container say to each other. */
export type Message = ClientMessage | SupervisorMessage;

/** The first is `run`, by whom the container then is owned, or `attach`. */
export type ClientMessage =
  | { kind: 'run'; bytes: Uint8Array }
  | { kind: 'attach'; version: number }
  | { kind: 'keys'; bytes: Uint8Array }
  | ({ kind: 'size' } & TerminalSize)
  /** The owner's: for the command. */
  | { kind: 'signal'; name: NodeJS.Signals }
  /** The owner's: its terminal has gone. */
  | { kind: 'hangUp' }
  /** The owner's: whatever has been made so far shall go. */
  | { kind: 'abort' }
  /** Answered with `detached`. A connection that ends without it is that of a client that was killed. */
  | { kind: 'detach' };

export type SupervisorMessage =
  /** The command runs: keys are its own from now on. */
  | { kind: 'started' }
  | { kind: 'output'; bytes: Uint8Array }
  /** The last one, as are all that follow. */
  | { kind: 'ended'; containerId: string; exitCode: number; isOutOfMemory: boolean }
  | { kind: 'failed'; failure: Failure }
  | { kind: 'detached' }
  /** To the owner: the container is there, and its command runs. */
  | { kind: 'created'; id: string; name: string };

/** An error as it travels. */
export interface Failure {
  /** Of a ToolError. */
  code?: ErrorCode | undefined;
  message: string;
  hint?: string | undefined;
  /** For those who look for a fault in this program. */
  trace: string;
}

/** Of what this file says. A container may have been started by another version of this program. */
export const PROTOCOL_VERSION = 1;

/** In the order of their numbers on the wire: new ones belong at the end. */
const KINDS = [
  'run',
  'attach',
  'keys',
  'size',
  'signal',
  'hangUp',
  'abort',
  'detach',
  'started',
  'output',
  'ended',
  'failed',
  'detached',
  'created',
] as const satisfies readonly Message['kind'][];

// On the wire: the length of the body in 4 bytes (little endian), the number of the kind in 1, the body.
const HEADER_SIZE = 5; // bytes
const MAX_BODY = 16 * 1024 * 1024; // bytes; a request to run holds arguments and environment, which are 2 MiB at most

/** The body is the message's bytes where it has any, else JSON of the rest of it. */
export function encodeMessage(message: Message): Buffer {
  const { kind, ...rest } = message;
  const body = 'bytes' in rest ? rest.bytes : Buffer.from(JSON.stringify(rest));
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeUInt32LE(body.length, 0);
  header.writeUInt8(KINDS.indexOf(kind), 4);
  return Buffer.concat([header, body]);
}

/** Puts messages together from the pieces in which they arrive. What it answers with throws a TypeError for anything else. */
export function createMessageDecoder(): (piece: Uint8Array) => Message[] {
  let pending: Buffer = Buffer.alloc(0);
  return (piece) => {
    pending = Buffer.concat([pending, piece]);
    const messages: Message[] = [];
    while (pending.length >= HEADER_SIZE) {
      const length = pending.readUInt32LE(0);
      if (length > MAX_BODY) throw new TypeError('A message is too long');
      if (pending.length < HEADER_SIZE + length) break;
      messages.push(decode(pending.readUInt8(4), pending.subarray(HEADER_SIZE, HEADER_SIZE + length)));
      pending = pending.subarray(HEADER_SIZE + length);
    }
    return messages;
  };
}

function decode(number: number, body: Buffer): Message {
  const kind = KINDS[number];
  if (kind === undefined) throw new TypeError('A message is of an unknown kind');
  if (kind === 'run' || kind === 'keys' || kind === 'output') return { kind, bytes: Uint8Array.from(body) };
  const value = JSON.parse(body.toString()) as unknown;
  if (typeof value !== 'object' || value === null || !CHECKS[kind](value as Fields)) {
    throw new TypeError(`A message is not of its kind: ${kind}`);
  }
  return { ...value, kind } as Message;
}

type Fields = Readonly<Record<string, unknown>>;

const anything = (): boolean => true;

const CHECKS: Record<Exclude<Message['kind'], 'run' | 'keys' | 'output'>, (fields: Fields) => boolean> = {
  attach: ({ version }) => typeof version === 'number',
  size: ({ columns, rows }) => isCount(columns) && isCount(rows),
  signal: ({ name }) => typeof name === 'string' && /^SIG[A-Z]+$/.test(name),
  hangUp: anything,
  abort: anything,
  detach: anything,
  started: anything,
  ended: ({ containerId, exitCode, isOutOfMemory }) =>
    typeof containerId === 'string' && typeof exitCode === 'number' && typeof isOutOfMemory === 'boolean',
  failed: ({ failure }) => typeof failure === 'object' && failure !== null && 'message' in failure,
  detached: anything,
  created: ({ id, name }) => typeof id === 'string' && typeof name === 'string',
};

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
