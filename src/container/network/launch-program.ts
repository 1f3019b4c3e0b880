import type { IOType } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { ToolError } from '../../errors.ts';
import { dieWithParentSteps } from '../../linux/die-with-parent.ts';
import type { Program } from '../../linux/program.ts';
import { startRunner } from '../../linux/runner.ts';
import type { RunningProgram } from '../../linux/runner.ts';
import { printable } from '../../printable.ts';
import type { NetworkRequest, NetworkService } from './network-service.ts';

export interface LaunchedProgram extends NetworkService {
  running: RunningProgram;
  /** Resolves when `stream` says something. Rejects, with what the program says was wrong, if it ends instead. */
  says: (stream: Readable) => Promise<void>;
}

/**
 * Starts a program that serves a network namespace: without anything of the caller's environment and none of its descriptors, out of
 * reach of the terminal's signals, and to be killed by the kernel when this process ends.
 * @param before steps that it starts with
 * @param stdio its descriptors; the third is taken for errors
 */
export function launchProgram(
  { program, runnerFolder, signal }: Pick<NetworkRequest, 'program' | 'runnerFolder' | 'signal'>,
  { args, before, stdio }: { args: readonly string[]; before: Program; stdio: readonly (IOType | number)[] },
): LaunchedProgram {
  const what = `start "${program}"`;
  const running = startRunner({
    program: [
      ...before,
      ...dieWithParentSteps(),
      { call: 'execve', args: [program, { pointers: [program, ...args] }, { pointers: [] }], what },
    ],
    stdio,
    runnerFolder,
    detached: true,
    signal,
  });
  let errors = '';
  running.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(0, MAX_ERRORS);
  });
  const closed = once(running.child, 'close');
  closed.catch(() => undefined); // of a process that there never was: `started` tells
  return {
    running,
    says: async (stream) => {
      const ended = closed.then(() => {
        signal?.throwIfAborted();
        throw failure(program, errors);
      });
      await Promise.race([once(stream, 'data'), ended]);
    },
    stop: async () => {
      running.signal(constants.signals.SIGKILL);
      await running.exited.catch(() => undefined);
    },
  };
}

const MAX_ERRORS = 8192; // characters

/** In the programs' own words. Without a system log, pasta says with each of its lines that it could not send it there. */
function failure(program: string, errors: string): ToolError {
  const lines = errors
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^Failed to send \d+ bytes to syslog/.test(line));
  const reason = printable(lines.at(-1) ?? 'it said nothing');
  const text = `Cannot connect the container to a network: ${program}: ${reason}`;
  if (/bind any port|add_hostfwd/.test(reason)) {
    return new ToolError('ERR_CONFLICT', `${text}: port is already allocated`);
  }
  if (reason.startsWith('Overlapping port')) {
    return new ToolError('ERR_UNSUPPORTED', text, {
      hint: 'This pasta publishes a port of the host at one address, or at all of them: leave the address out.',
    });
  }
  return new ToolError('ERR_HOST', text);
}
