import { spawn, type ChildProcess, type IOType } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { encodeProgram } from './encode-program.ts';
import { DEATH_SIGNAL } from './fork-steps.ts';
import { writeIdMaps } from './id-maps.ts';
import { machineOf } from './machine.ts';
import type { Ownership } from './ownership.ts';
import { FCNTL, SIGNAL } from './process-flags.ts';
import type { Program, Step } from './program.ts';
import { serveRunner } from './runner-connection.ts';
import { runnerFile } from './runner-file.ts';
import type { Machine } from './syscalls.ts';

export interface RunnerOptions {
  program: Program;
  /** The command's descriptors 0, 1, 2 and so on, at least three, as for child_process.spawn; all others are closed. */
  stdio: readonly (IOType | number)[];
  /** Descriptors of ours that stay open in waiters, for as long as those live, but not in the command: a lock. */
  held?: readonly number[] | undefined;
  /** Whose id maps Node writes when the program asks for them: see userNamespaceSteps. */
  idMap?: Ownership | undefined;
  /** Serves the network namespace of process `pid`, when the program asks for it: RECORD.networkWanted. */
  serveNetwork?: ((pid: number) => Promise<void>) | undefined;
  /** Folder for the executable file: see runnerFile. */
  runnerFolder: string;
  /** Whether the runner gets a session of its own, so that no signal of the terminal reaches it. */
  detached?: boolean | undefined;
  /** Aborting ends the program with SIGKILL. */
  signal?: AbortSignal | undefined;
}

export interface RunningProgram {
  /** The process that Node has started: the outermost waiter, or the command if nothing forks. Undefined when there is none. */
  readonly pid: number | undefined;
  /** For its `stdio` streams. */
  readonly child: ChildProcess;
  /**
   * Resolves when the last step was `execve` and has succeeded, or when the program came to its end in another way; `pid` is that
   * of the child of the first fork, or the runner's own. Rejects with a StepError, with the ToolError of the id maps or the network, with the
   * system error of a process that cannot be created, or with the reason of the abort.
   */
  readonly started: Promise<{ pid: number }>;
  /** The command's exit status, or 128 + the signal that ended it. Rejects only when no process could be created. */
  readonly exited: Promise<{ code: number }>;
  /**
   * Sends a signal by number, as kill(2) does and with its errors; SIGKILL ends the child of the fork, not the waiter.
   * Does nothing after the end.
   */
  signal(number: number): void;
}

/**
 * Starts the runner with a program. Nothing waits here: see the promises of the result, neither of which has to be handled.
 * The program ends with the thread that calls this: the kernel takes the end of a worker for the end of the parent.
 * Throws ToolError ERR_HOST where no runner can be executed, the reason of a signal that is already aborted, what encodeProgram
 * throws, and system errors of child_process.spawn.
 */
export function startRunner(options: RunnerOptions): RunningProgram {
  return startRunnerOn({ machine: machineOf(process.arch), emulator: [] }, options);
}

/** What executes a runner. */
export interface Processor {
  machine: Machine;
  /** A command that executes the file that follows it, such as `qemu-aarch64`; empty where the processor itself does. */
  emulator: readonly string[];
}

/** The same on a processor that need not be the one that Node runs on. */
export function startRunnerOn({ machine, emulator }: Processor, options: RunnerOptions): RunningProgram {
  const { stdio, runnerFolder, held = [], detached = false } = options;
  options.signal?.throwIfAborted();
  const control = stdio.length + held.length;
  if (control > MAX_CONTROL) throw new TypeError(`The runner can be given ${MAX_CONTROL} descriptors at most`);
  const prelude = descriptorSteps(stdio.length, control);
  const blob = encodeProgram([...prelude, ...options.program], machine, { held: stdio.length, control });
  const file = runnerFile(runnerFolder, machine);
  let child: ChildProcess;
  try {
    const [command, ...args] = [...emulator, file.path, String.fromCharCode(CHARACTER_0 + control)];
    child = spawn(command, args, {
      argv0: 'mydocker-runner',
      stdio: [...stdio, ...held, 'pipe'],
      env: {},
      detached,
    });
  } finally {
    file.release(); // spawn returns when the file has been executed
  }
  return supervise({ child, blob, prelude, options });
}

const CHARACTER_0 = 48;
const MAX_CONTROL = 126 - CHARACTER_0; // the connection's number is told by one printable character

/** Only the connection and the command's own descriptors are left, and the latter alone survive execve. */
function descriptorSteps(firstHeld: number, control: number): Step[] {
  const what = 'close the descriptors of the caller';
  const steps: Step[] = [{ call: 'close_range', args: [control + 1, 0xffffffff, 0], what }];
  for (let descriptor = firstHeld; descriptor <= control; descriptor += 1) {
    steps.push({ call: 'fcntl', args: [descriptor, FCNTL.SETFD, FCNTL.FD_CLOEXEC], what });
  }
  return steps;
}

interface Launch {
  child: ChildProcess;
  blob: Buffer;
  prelude: readonly Step[];
  options: RunnerOptions;
}

function supervise(launch: Launch): RunningProgram {
  const { child, options } = launch;
  const forks = options.program.some((step) => step.fork !== undefined);
  const signal = (number: number): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(child.pid, forks && number === SIGNAL.KILL ? DEATH_SIGNAL : number);
  };
  const exited = new Promise<{ code: number }>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, name) => resolve({ code: code ?? codeOfSignal(name) }));
  });
  const started = start(launch);
  const abort = (): void => signal(SIGNAL.KILL);
  options.signal?.addEventListener('abort', abort);
  const finished = (): void => options.signal?.removeEventListener('abort', abort);
  exited.then(finished, finished);
  started.catch(() => undefined); // who wants to know looks at the promise itself
  return { pid: child.pid, child, started, exited, signal };
}

function codeOfSignal(name: NodeJS.Signals | null): number {
  const number = name === null ? 0 : constants.signals[name];
  return 128 + (number === DEATH_SIGNAL ? SIGNAL.KILL : number);
}

async function start({ child, blob, prelude, options }: Launch): Promise<{ pid: number }> {
  const { pid } = child;
  if (pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw error;
  }
  const forked = await serveRunner({
    stream: child.stdio.at(-1) as Duplex,
    blob,
    program: [...prelude, ...options.program],
    prelude: prelude.length,
    writeIdMaps: async () => {
      if (options.idMap?.kind !== 'mapped') throw new TypeError('The program wants id maps: give startRunner an idMap');
      await writeIdMaps(pid, options.idMap, { signal: options.signal });
    },
    serveNetwork: async () => {
      if (options.serveNetwork === undefined) throw new TypeError('The program wants a network: tell startRunner how');
      await options.serveNetwork(pid);
    },
  }).finally(() => options.signal?.throwIfAborted());
  return { pid: forked ?? pid };
}
