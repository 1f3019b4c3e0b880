import { constants } from 'node:os';

/** Hands each signal of the caller's to `listener` until the returned function is called. Only cli/ has signals to hand on. */
export type SignalSource = (listener: (signal: NodeJS.Signals) => void) => () => void;

const PATIENCE = 3; // requests to end, then it is ended

/**
 * Passes signals on to a running container. A command that is process 1 and has no handler does not notice SIGINT and SIGTERM:
 * the third of them kills it.
 * @returns what stops it
 */
export function forwardSignals(source: SignalSource | undefined, send: (number: number) => void): () => void {
  let requests = 0;
  return (
    source?.((signal) => {
      if (signal === 'SIGINT' || signal === 'SIGTERM') requests += 1;
      send(requests >= PATIENCE ? constants.signals.SIGKILL : constants.signals[signal]);
    }) ?? (() => undefined)
  );
}
