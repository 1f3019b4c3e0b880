import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Readable } from 'node:stream';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { abortedError, throwIfAborted } from './aborted.ts';

export interface HelperRun {
  /** What follows `docker-credential-`; comes from a file of the user and is checked here. */
  name: string;
  /** Its only argument. */
  argument: string;
  input: string;
  env: Readonly<Record<string, string | undefined>>;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** `get the login for "ghcr.io"`, for errors. */
  action: string;
}

export interface HelperAnswer {
  /** 1 where a signal ended it. */
  exitCode: number;
  stdout: string;
  /** Its beginning. */
  stderr: string;
  /** What it was told to do, for errors: `get the login for "ghcr.io" with "docker-credential-pass"`. */
  told: string;
}

const MAX_OUTPUT = 1024 * 1024; // bytes
const MAX_MESSAGE = 4096; // bytes of stderr that are kept

/**
 * Runs a credential helper that is on the PATH, without a shell, and waits for its end.
 * Throws ERR_HOST if there is none of that name, ERR_AUTH for one that cannot be started or takes too long, ERR_LIMIT, ERR_ABORTED.
 */
export async function runHelper(run: HelperRun): Promise<HelperAnswer> {
  const { name, action, env, timeoutMs, signal } = run;
  const program = `docker-credential-${printable(name)}`;
  const told = `${action} with "${program}"`;
  throwIfAborted(action, signal);
  const path = isHelperName(name) ? findOnPath(program, env['PATH'] ?? '') : undefined;
  if (path === undefined) {
    const problem = isHelperName(name) ? 'it is not installed' : 'that is no name of a credential helper';
    throw new ToolError('ERR_HOST', `Cannot ${told}: ${problem}`);
  }
  const late = AbortSignal.timeout(timeoutMs);
  const tooMuch = new AbortController();
  try {
    return { ...(await converse(path, run, { late, tooMuch })), told };
  } catch (error) {
    if (signal?.aborted === true) throw abortedError(action, signal);
    if (tooMuch.signal.aborted) {
      throw new ToolError('ERR_LIMIT', `Cannot ${told}: it answered with more than ${MAX_OUTPUT} bytes`);
    }
    const problem = late.aborted ? `it did not end within ${timeoutMs / 1000} s` : 'it cannot be started';
    throw new ToolError('ERR_AUTH', `Cannot ${told}: ${problem}`, { cause: error });
  }
}

async function converse(
  path: string,
  { argument, input, env, signal }: HelperRun,
  { late, tooMuch }: { late: AbortSignal; tooMuch: AbortController },
): Promise<Omit<HelperAnswer, 'told'>> {
  const stop = AbortSignal.any([late, tooMuch.signal, ...(signal === undefined ? [] : [signal])]);
  // In our session: a helper may ask for a passphrase on the terminal.
  const child = spawn(path, [argument], { env, stdio: 'pipe', signal: stop, killSignal: 'SIGKILL' });
  child.stdin.on('error', () => undefined); // it need not read
  child.stdin.end(input);
  try {
    const [stdout, stderr, [code]] = await Promise.all([
      readText(child.stdout, MAX_OUTPUT, () => tooMuch.abort()),
      readText(child.stderr, MAX_MESSAGE),
      once(child, 'close') as Promise<[number | null]>, // rejects with what 'error' says
    ]);
    return { exitCode: code ?? 1, stdout, stderr };
  } finally {
    // What it started itself may outlive it and keep the pipes open.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  }
}

function isHelperName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(name);
}

/** As Go's exec.LookPath, which docker uses, relative folders of the PATH do not count. */
function findOnPath(program: string, path: string): string | undefined {
  const candidates = path.split(delimiter).filter(isAbsolute);
  return candidates.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The first `limit` bytes; the rest is read as well, so that the writer does not wait. */
async function readText(stream: Readable, limit: number, onMore?: () => void): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    if (size < limit) chunks.push(chunk.subarray(0, limit - size));
    size += chunk.byteLength;
    if (size > limit) onMore?.();
  }
  return Buffer.concat(chunks).toString();
}
