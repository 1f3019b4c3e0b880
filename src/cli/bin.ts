import { callerEnvironment } from './caller-environment.ts';
import { createEngine } from './engine.ts';
import { catchInterrupts } from './interrupts.ts';
import { main } from './main.ts';
import { createOutput, isTerminal } from './output.ts';
import { readLine } from './read-line.ts';

// The only file that touches the process. Everything else is handed what it needs of it.

const SIGNALLED = 128; // and the signal's number
const BROKEN_PIPE = SIGNALLED + 13; // SIGPIPE: how a program ends that writes to a pipe which nobody reads

const stdout = createOutput(
  1,
  () => process.stdout,
  () => process.exit(BROKEN_PIPE),
);
const stderr = createOutput(
  2,
  () => process.stderr,
  () => undefined,
);

void main(process.argv.slice(2), {
  stdout,
  stderr,
  stdinIsTerminal: () => isTerminal(0),
  readStdin: async (signal) => (await import('./read-stdin.ts')).readStdin(process.stdin, signal),
  ask: async (question, options) => {
    const { askTerminal } = await import('./ask-terminal.ts');
    const interrupt = (): void => void process.kill(process.pid, 'SIGINT');
    return askTerminal(question, { ...options, input: process.stdin, write: stdout.write, interrupt });
  },
  readLine: async (signal) => readLine(process.stdin, signal),
  openTerminal: async ({ isInteractive }) => (await import('./open-terminal.ts')).openTerminal(process, isInteractive),
  env: callerEnvironment(process.env),
  home: undefined,
  engine: createEngine(),
  now: () => Date.now(),
  catchInterrupts: () => catchInterrupts(process, (signal) => process.exit(SIGNALLED + signal)),
}).then(
  // Not left to the end of the event loop, which idle connections would hold up.
  (exitCode) => process.exit(exitCode),
);
