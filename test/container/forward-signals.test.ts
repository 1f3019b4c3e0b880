import { EventEmitter } from 'node:events';
import { constants } from 'node:os';

import { describe, expect, it } from 'vitest';

import { forwardSignals } from '../../src/container/forward-signals.ts';

const { SIGINT, SIGTERM, SIGHUP, SIGKILL } = constants.signals;

describe('forwardSignals()', () => {
  function collect(): { emitter: EventEmitter; sent: number[]; stop: () => void } {
    const emitter = new EventEmitter();
    const sent: number[] = [];
    const stop = forwardSignals(
      (listener) => {
        emitter.on('signal', listener);
        return () => emitter.off('signal', listener);
      },
      (number) => sent.push(number),
    );
    return { emitter, sent, stop };
  }

  it('passes each signal on by number, until it is stopped', () => {
    const { emitter, sent, stop } = collect();
    for (const name of ['SIGHUP', 'SIGINT', 'SIGHUP']) emitter.emit('signal', name);
    stop();
    emitter.emit('signal', 'SIGTERM');
    expect(sent).toEqual([SIGHUP, SIGINT, SIGHUP]);
  });

  it('kills at the third request to end, of either kind', () => {
    const { emitter, sent } = collect();
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGINT']) emitter.emit('signal', name);
    expect(sent).toEqual([SIGINT, SIGTERM, SIGHUP, SIGKILL]);
  });

  it('does nothing without a source', () => {
    expect(() => forwardSignals(undefined, () => undefined)()).not.toThrow();
  });
});
