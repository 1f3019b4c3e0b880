import { closeSync, openSync, readSync } from 'node:fs';
import { ToolError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { hasErrno } from '../../fs/disk-error.ts';
import { printable } from '../../printable.ts';

/** What the log of a runtime gives as the reason why a container did not run; undefined if it ran. `exitCode` is the runtime's. */
export function runtimeFailure(runtime: string, log: string, exitCode: number): ToolError | undefined {
  // Killed from outside, or the command's own end: runtimes end with these when they fail.
  if (!FAILED.includes(exitCode)) return undefined;
  const message = lastError(readStart(log));
  if (message === undefined) return undefined;
  const text = printable(message, MAX_MESSAGE).trim();
  return new ToolError(codeOf(message), `Cannot run the container with ${printable(runtime)}: ${text}`);
}

const MAX_MESSAGE = 1000; // characters

const FAILED = [1, 125, 126, 127, 255];

/** By docker's rules, for what the runtime says of the command and of mounts. */
function codeOf(message: string): ErrorCode {
  if (/not a directory/i.test(message) && /mount/i.test(message)) return 'ERR_VOLUME';
  if (!/\bexec\b|executable|execve/i.test(message)) return 'ERR_CONTAINER';
  if (/not found in \$PATH|no such file or directory/i.test(message)) return 'ERR_COMMAND_NOT_FOUND';
  if (/permission denied|operation not permitted|is a directory|exec format error/i.test(message))
    return 'ERR_COMMAND_NOT_EXECUTABLE';
  return 'ERR_CONTAINER';
}

/** One JSON object on each line, with a level and a message: runc's and crun's `--log-format json`. */
function lastError(log: string): string | undefined {
  for (const line of log.split('\n').toReversed()) {
    const { level, msg } = parseLine(line);
    if (level === 'error' && typeof msg === 'string') return msg;
  }
  return undefined;
}

function parseLine(line: string): { level?: unknown; msg?: unknown } {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? entry : {};
  } catch {
    return {}; // not from the runtime's logger
  }
}

const MAX_LOG = 65_536; // bytes; what a runtime that fails says is a few hundred

function readStart(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return ''; // nothing was logged
    throw error;
  }
  try {
    const bytes = Buffer.alloc(MAX_LOG);
    return bytes.toString('utf8', 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}
