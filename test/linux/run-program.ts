import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import type { Program, Step } from '../../src/linux/program.ts';
import { startRunnerOn, type Processor, type RunnerOptions, type RunningProgram } from '../../src/linux/runner.ts';
import type { StepError } from '../../src/linux/step-error.ts';
import { THIS_MACHINE } from './processors.ts';

export interface Outcome {
  code: number;
  stdout: string;
  /** Why it did not start. */
  error: StepError | undefined;
}

export interface RunOptions extends Partial<RunnerOptions> {
  /** The machine of the tests if not given. */
  processor?: Processor;
}

/** Runs a program to its end; what it writes to descriptor 1 is collected. */
export async function runProgram(
  runnerFolder: string,
  program: Program,
  { processor = THIS_MACHINE, ...options }: RunOptions = {},
): Promise<Outcome> {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const running = startRunnerOn(processor, { program, runnerFolder, stdio, ...options });
  const [stdout, { code }, error] = await Promise.all([output(running), running.exited, startError(running)]);
  return { code, stdout, error };
}

async function startError(running: RunningProgram): Promise<StepError | undefined> {
  try {
    await running.started;
    return undefined;
  } catch (error) {
    return error as StepError;
  }
}

async function output({ child }: RunningProgram): Promise<string> {
  return (await buffer(child.stdout as Readable)).toString('latin1');
}

/** A step that becomes `sh -c script`, with nothing but PATH in its environment. */
export function shell(script: string, ...args: string[]): Step {
  return {
    call: 'execve',
    args: ['/bin/sh', { pointers: ['sh', '-c', script, ...args] }, { pointers: ['PATH=/usr/bin:/bin'] }],
    what: 'start sh',
  };
}

/** A step that becomes this Node with a script that ends when its standard input does. */
export function nodeScript(script: string): Step {
  const argv = ['node', '-e', `process.stdin.on('end', () => process.exit(99)).resume();${script}`];
  return { call: 'execve', args: [process.execPath, { pointers: argv }, { pointers: [] }], what: 'start node' };
}

export const FORK: Step = { call: 'clone', args: [17], fork: true, what: 'fork' };

/** A script that prints the name of every signal that it gets, and ends with 7 at SIGTERM. */
export const LISTENER = `
  for (const name of ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGWINCH', 'SIGCONT', 'SIGPIPE', 'SIGCHLD', 'SIGURG', 'SIGTSTP'])
    process.on(name, () => console.log(name));
  process.on('SIGTERM', () => { console.log('SIGTERM'); process.exit(7); });
  console.log('ready');`;
