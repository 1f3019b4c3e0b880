import { createEngine } from './engine.ts';
import { catchInterrupts } from './interrupts.ts';
import { main } from './main.ts';
import { openTerminal } from './open-terminal.ts';
import { createOutput, isTerminal } from './output.ts';

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
  openTerminal: ({ isInteractive }) => openTerminal(process, isInteractive),
  env: process.env,
  home: undefined,
  engine: createEngine(),
  now: () => Date.now(),
  catchInterrupts: () => catchInterrupts(process, (signal) => process.exit(SIGNALLED + signal)),
}).then(
  // Not left to the end of the event loop, which idle connections would hold up.
  (exitCode) => process.exit(exitCode),
);
