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
import { MESSAGES_FD } from './unpack-job.ts';
import type { ChildInput, ChildJob, ChildMessage, LastMessage, NewsMessage } from './unpack-job.ts';

export interface UnpackChildOptions {
  /** For the message of an error; continues "Cannot". */
  task: string;
  ownership: Ownership;
  runnerFolder: string;
  /** The bundle of unpack-child.ts, unless it is in its usual place. */
  path: string | undefined;
}

/** A child that waits for jobs, or is at one. */
export interface UnpackChild {
  /** Gives it a job, or what a job waits for; does nothing after its end. */
  write(input: ChildInput): void;
  /** Gives it a job, and resolves when that is done and it waits for the next one, or when it has ended. Rejects as `ended` does. */
  do(job: ChildJob, onNews: (message: NewsMessage) => void): Promise<JobEnd>;
  /** SIGKILL; does nothing after its end. */
  kill(): void;
  /** Lets it end when it has nothing to do. */
  end(): void;
  /** Resolves when it has ended. Rejects with a ToolError (ERR_HOST) when it could not be started. */
  ended: Promise<ChildEnd>;
}

/** The last word on a job, or the end of a child that has said none. */
export type JobEnd = { message: LastMessage } | { message?: undefined; end: ChildEnd };

export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The end of what it has written to its standard error, which is nothing unless it has crashed. */
  stderr: string;
}

/**
 * Starts the process that unpacks and verifies: as root of the user namespace of `ownership`, with nothing of the environment. Throws a
 * ToolError (ERR_HOST) where no process can be started; what shows only later rejects `ended`.
 */
export function startUnpackChild(options: UnpackChildOptions): UnpackChild {
  const { child, exited } = startOrExplain(options);
  const stdin = child.stdin;
  stdin?.on('error', () => undefined); // it has ended: `ended` says more
  const write = (input: ChildInput): void => {
    if (stdin?.writable === true) stdin.write(`${JSON.stringify(input)}\n`);
  };
  let hear: (message: ChildMessage) => void = () => undefined;
  const ended = watch(child, { exited, onMessage: (message) => hear(message) });
  ended.catch(() => undefined); // who wants to know looks at the promise itself
  return {
    write,
    do: async (job, onNews) => {
      let failure: LastMessage | undefined;
      const done = new Promise<LastMessage>((resolve) => {
        hear = (message) => {
          if (message.kind === 'progress' || message.kind === 'difference') onNews(message);
          else if (message.kind === 'failure') failure = message;
          else resolve(message);
        };
      });
      write(job);
      const end = await Promise.race([done, ended]);
      if ('kind' in end) return { message: end };
      return failure === undefined ? { end } : { message: failure };
    },
    kill: () => void child.kill('SIGKILL'),
    end: () => void stdin?.end(),
    ended,
  };
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

function start({ ownership, runnerFolder, path = DEFAULT_PATH }: UnpackChildOptions): Started {
  const stdio = ['pipe', 'ignore', 'pipe', 'pipe'] as const; // the last is MESSAGES_FD
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
  const [messages, errors] = [streams[MESSAGES_FD] ?? undefined, streams[STDERR] ?? undefined];
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
