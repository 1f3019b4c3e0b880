import type { SignalSource } from '../container/forward-signals.ts';

/** What happens on SIGINT, SIGTERM and SIGHUP, and, once they are diverted, on others that programs take for a command. */
export interface Interrupts {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** The number of the signal that aborted. */
  received: () => number | undefined;
  /** Hands signals to a listener; as long as it has them they abort nothing. */
  divert: SignalSource;
  /** Back to what signals do by default. */
  release: () => void;
}

const ABORTING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Node would open its debugger on SIGUSR1. */
const COMMANDING = ['SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** `insist` is called for each signal after the one that aborted: whoever sends a second one does not want to wait. */
export function catchInterrupts(
  source: Pick<NodeJS.Process, 'on' | 'off'>,
  insist: (signal: number) => void,
): Interrupts {
  const controller = new AbortController();
  let received: number | undefined;
  let listener: ((signal: NodeJS.Signals) => void) | undefined;
  const onSignal = (name: NodeJS.Signals, number: number): void => {
    if (listener !== undefined) listener(name);
    else if (received !== undefined) insist(number);
    else {
      received = number;
      controller.abort();
    }
  };
  for (const name of ABORTING) source.on(name, onSignal);
  return {
    signal: controller.signal,
    received: () => received,
    divert: (to) => {
      listener = to;
      for (const name of COMMANDING) source.on(name, onSignal);
      return () => {
        listener = undefined;
        for (const name of COMMANDING) source.off(name, onSignal);
      };
    },
    release: () => {
      for (const name of [...ABORTING, ...COMMANDING]) source.off(name, onSignal);
    },
  };
}
