import { PassThrough } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { openTerminal, type TerminalProcess } from '../../src/cli/open-terminal.ts';

function fakeProcess(isTTY: boolean): TerminalProcess & { modes: boolean[] } {
  const modes: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY,
    setRawMode: (mode: boolean) => {
      modes.push(mode);
      return undefined as never;
    },
  });
  return { stdin, stdout: Object.assign(new PassThrough(), { columns: 100, rows: 30 }), modes };
}

describe('openTerminal()', () => {
  it('is raw while the container is connected, and no longer', () => {
    const own = fakeProcess(true);
    let modesBefore: boolean[] | undefined;
    const terminal = openTerminal(own, true, () => (modesBefore = [...own.modes]));
    expect([terminal.input, terminal.output]).toEqual([own.stdin, own.stdout]);
    terminal.onConnect?.();
    expect([own.modes, modesBefore]).toEqual([[true], [true]]); // Node remembers what was before its own change
    terminal.onDisconnect?.();
    expect(own.modes).toEqual([true, false]);
  });

  it.each([
    [true, false],
    [false, true],
  ])('leaves the mode alone: terminal %s, interactive %s', (isTTY, isInteractive) => {
    const own = fakeProcess(isTTY);
    const terminal = openTerminal(own, isInteractive, () => own.modes.push(true));
    terminal.onConnect?.();
    terminal.onDisconnect?.();
    expect(own.modes).toEqual([]);
    expect(terminal.input).toBe(isInteractive ? own.stdin : undefined);
  });

  it('has the size of the output, and docker’s where that has none', () => {
    const own = fakeProcess(true);
    expect(openTerminal(own, true).size()).toEqual({ columns: 100, rows: 30 });
    own.stdout = new PassThrough();
    expect(openTerminal(own, true).size()).toEqual({ columns: 80, rows: 24 });
  });

  it('says when the size changes, until it is told to stop', () => {
    const own = fakeProcess(true);
    let count = 0;
    const stop = openTerminal(own, true).onResize?.(async () => void (count += 1));
    own.stdout.emit('resize');
    stop?.();
    own.stdout.emit('resize');
    expect(count).toBe(1);
  });
});
