import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ToolError } from '../errors.ts';
import type { Program } from '../linux/program.ts';
import { startRunner } from '../linux/runner.ts';
import { StepError } from '../linux/step-error.ts';

/** The descriptor of the supervisor that is its connection with its owner. */
export const OWNER = 3;

// From src/container, dist/container and dist/bin alike.
const SUPERVISOR = fileURLToPath(new URL('../../dist/bin/supervisor.cjs', import.meta.url));

/**
 * Starts a process that looks after a container and may outlive this one: in a session of its own, in the root folder, with none of
 * this process's descriptors, environment or arguments. Started by the runner because Node closes no descriptors that it did not open.
 * @returns the connection with it
 * @throws {ToolError} ERR_HOST
 */
export async function startSupervisor(runnerFolder: string): Promise<Duplex> {
  const command = [process.execPath, SUPERVISOR] as const;
  const what = 'start the process that looks after the container';
  const program: Program = [
    { call: 'chdir', args: ['/'], what },
    { call: 'execve', args: [command[0], { pointers: command }, { pointers: [] }], what },
  ];
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe'] as const; // the last is OWNER
  const { child, started } = startRunner({ program, stdio, runnerFolder, detached: true });
  try {
    await started;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    throw new ToolError('ERR_HOST', error.message, { cause: error });
  }
  return child.stdio[OWNER] as Duplex;
}
