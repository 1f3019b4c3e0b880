import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { ToolError } from '../errors.ts';
import { errnoText } from '../linux/errno.ts';
import type { Ownership } from '../linux/ownership.ts';
import { spawnMapped } from '../linux/spawn-mapped.ts';
import { printable } from '../printable.ts';
import { CHILD_FDS, type ChildJob, type ChildMessage } from './unpack-job.ts';

export interface UnpackChildOptions {
  job: ChildJob;
  /** For the message of an error; continues "Cannot". */
  task: string;
  /** Descriptors of this process; they may be closed when this returns. */
  blob?: number;
  manifest: number;
  ownership: Ownership;
  runnerFolder: string;
  /** The bundle of unpack-child.ts, unless it is in its usual place. */
  path: string | undefined;
  onMessage: (message: ChildMessage) => void;
}

/** A child that is at work. */
export interface UnpackChild {
  /** Writes a line to its standard input; does nothing after its end. */
  write(line: string): void;
  /** SIGKILL; does nothing after its end. */
  kill(): void;
  /**
   * Resolves when it has ended and its last message was handed over. Rejects with a ToolError (ERR_HOST) when it could not be
   * started.
   */
  ended: Promise<ChildEnd>;
}

export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The end of what it has written to its standard error, which is nothing unless it has crashed. */
  stderr: string;
}

/**
 * Starts the process that unpacks or verifies: as root of the user namespace of `ownership`, with nothing of the environment. Throws a
 * ToolError (ERR_HOST) where no process can be started; what shows only later rejects `ended`.
 */
export function startUnpackChild(options: UnpackChildOptions): UnpackChild {
  const { child, exited } = startOrExplain(options);
  const stdin = child.stdin;
  stdin?.on('error', () => undefined); // it has ended: `ended` says more
  const write = (line: string): void => {
    if (stdin?.writable === true) stdin.write(`${line}\n`);
  };
  const ended = watch(child, { exited, onMessage: options.onMessage });
  ended.catch(() => undefined); // who wants to know looks at the promise itself
  write(JSON.stringify(options.job));
  return { write, kill: () => void child.kill('SIGKILL'), ended };
}

/** The error of a child that has ended without saying why. `task` continues "Cannot". */
export function unexpectedEnd(end: ChildEnd, task: string): ToolError {
  const how = end.signal === null ? `with exit code ${end.code}` : `by ${end.signal}`;
  return new ToolError('ERR_HOST', `Cannot ${task}: the process that does it was ended ${how}`, {
    ...(end.signal === 'SIGKILL' ? { hint: 'The system may have run out of memory.' } : {}),
    cause: new Error(end.stderr),
  });
}

function startOrExplain(options: UnpackChildOptions): Started {
  const { task } = options;
  try {
    const { child, exited } = start(options);
    return {
      child,
      exited: exited.catch((error: unknown) => {
        throw notStarted(error, task);
      }),
    };
  } catch (error) {
    throw notStarted(error, task);
  }
}

function notStarted(error: unknown, task: string): unknown {
  if (!(error instanceof Error) || error instanceof ToolError) return error;
  const reason = 'errno' in error && typeof error.errno === 'number' ? errnoText(Math.abs(error.errno)) : error.message;
  const message = `Cannot ${task}: the process that does it cannot be started: ${printable(reason)}`;
  return new ToolError('ERR_HOST', message, { cause: error });
}

interface Started {
  child: ChildProcess;
  exited: Promise<Pick<ChildEnd, 'code' | 'signal'>>;
}

function start({ ownership, runnerFolder, path = DEFAULT_PATH, ...descriptors }: UnpackChildOptions): Started {
  const { blob = 'ignore', manifest } = descriptors;
  const stdio = ['pipe', 'ignore', 'pipe', blob, manifest, 'pipe'] as const;
  const command = [process.execPath, path] as const;
  if (ownership.kind !== 'root') {
    return spawnMapped({ command: [...command], ownership, stdio, env: {}, runnerFolder });
  }
  // Without the runner, which is not there for every processor.
  const child = spawn(command[0], command.slice(1), { stdio: [...stdio], env: {} });
  return { child, exited: exitOf(child) };
}

// From src/layer, dist/layer and dist/bin alike.
const DEFAULT_PATH = fileURLToPath(new URL('../../dist/unpack-child.cjs', import.meta.url));

async function exitOf(child: ChildProcess): Started['exited'] {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return { code, signal };
}

interface Watch {
  exited: Started['exited'];
  onMessage: (message: ChildMessage) => void;
}

async function watch(child: ChildProcess, { exited, onMessage }: Watch): Promise<ChildEnd> {
  // Node leaves them undefined where there were no descriptors left to make them.
  const streams = (child.stdio as (Readable | null | undefined)[] | undefined) ?? [];
  const [messages, errors] = [streams[CHILD_FDS.messages] ?? undefined, streams[STDERR] ?? undefined];
  const stderr = errors === undefined ? '' : lastOf(errors);
  const handedOver = messages === undefined ? undefined : handOver(messages, onMessage);
  try {
    const [end, text] = await Promise.all([exited, stderr, handedOver]);
    return { ...end, stderr: text };
  } finally {
    for (const stream of streams) stream?.destroy();
  }
}

async function handOver(messages: Readable, onMessage: Watch['onMessage']): Promise<void> {
  for await (const line of createInterface({ input: messages })) {
    const message = parseMessage(line);
    if (message !== undefined) onMessage(message);
  }
}

/** Undefined for half a message, the last word of a child that was killed: how it has ended says more. */
function parseMessage(line: string): ChildMessage | undefined {
  try {
    return JSON.parse(line) as ChildMessage;
  } catch {
    return undefined;
  }
}

const STDERR = 2;
const MAX_STDERR = 4096; // characters

async function lastOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const piece of stream.setEncoding('utf8')) text = (text + String(piece)).slice(-MAX_STDERR);
  return text;
}
