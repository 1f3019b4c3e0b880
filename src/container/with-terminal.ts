import { constants } from 'node:os';
import type { PseudoTerminal } from '../linux/pseudo-terminal.ts';
import type { RunningProgram } from '../linux/runner.ts';
import type { TerminalStreams } from './connect-terminal.ts';

export interface TerminalRequest {
  /** The container's; undefined without `-t`. */
  terminal: PseudoTerminal | undefined;
  /** The caller's. */
  streams: TerminalStreams | undefined;
  running: Pick<RunningProgram, 'signal'>;
  runnerFolder: string;
}

/** Connects the caller with the container's terminal for as long as `work` takes. */
export async function withTerminal<T>(request: TerminalRequest, work: () => Promise<T>): Promise<T> {
  const { terminal, streams, running, runnerFolder } = request;
  if (terminal === undefined || streams === undefined) return work();
  const { connectTerminal } = await import('./connect-terminal.ts');
  let patience: NodeJS.Timeout | undefined;
  // Nobody is there any more: the command is told, and may put its things in order.
  const onHangUp = (): void => {
    running.signal(constants.signals.SIGHUP);
    patience = setTimeout(() => running.signal(constants.signals.SIGKILL), HANG_UP_MS);
  };
  const connection = connectTerminal(terminal.release(), streams, { runnerFolder, onHangUp });
  try {
    return await work();
  } finally {
    clearTimeout(patience);
    await connection.finish();
  }
}

const HANG_UP_MS = 2000;
