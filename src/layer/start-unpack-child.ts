import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { ToolError } from '../errors.ts';
import type { Ownership } from '../linux/ownership.ts';
import { spawnMapped } from '../linux/spawn-mapped.ts';
import { CHILD_FDS, type ChildJob, type ChildMessage } from './unpack-job.ts';

export interface UnpackChildOptions {
  job: ChildJob;
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
   * Resolves when it has ended and its last message was handed over. Rejects when it could not be started, as child_process.spawn
   * and spawnMapped do.
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
 * Starts the process that unpacks or verifies: as root of the user namespace of `ownership`, with nothing of the environment. Throws what
 * child_process.spawn and spawnMapped throw.
 */
export function startUnpackChild(options: UnpackChildOptions): UnpackChild {
  const { child, exited } = start(options);
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
  // Where no process could be created there may be no streams either, and `exited` says why.
  if (child.pid === undefined) return { ...(await exited), stderr: '' };
  const messages = (child.stdio as (Readable | null | undefined)[])[CHILD_FDS.messages] ?? undefined;
  const stderr = child.stderr === null ? Promise.resolve('') : lastOf(child.stderr);
  const handedOver = messages === undefined ? undefined : handOver(messages, onMessage);
  try {
    const [end, text] = await Promise.all([exited, stderr, handedOver]);
    return { ...end, stderr: text };
  } finally {
    for (const stream of child.stdio) stream?.destroy();
  }
}

async function handOver(messages: Readable, onMessage: Watch['onMessage']): Promise<void> {
  for await (const line of createInterface({ input: messages })) onMessage(JSON.parse(line) as ChildMessage);
}

const MAX_STDERR = 4096; // characters

async function lastOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const piece of stream.setEncoding('utf8')) text = (text + String(piece)).slice(-MAX_STDERR);
  return text;
}
