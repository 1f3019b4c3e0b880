import type { SignalSource } from '../forward-signals.ts';

/** Where signals go that are for a container: to the command once there is one, else they stop what is under way. */
export interface SignalRelay {
  source: SignalSource;
  /** Aborted by the first signal for which there was no command. */
  signal: AbortSignal;
  send: (name: NodeJS.Signals) => void;
  abort: () => void;
}

export function createSignalRelay(): SignalRelay {
  const controller = new AbortController();
  let listener: ((signal: NodeJS.Signals) => void) | undefined;
  const abort = (): void => controller.abort();
  return {
    source: (to) => {
      listener = to;
      return () => {
        listener = undefined;
      };
    },
    signal: controller.signal,
    send: (name) => (listener ?? abort)(name),
    abort,
  };
}
