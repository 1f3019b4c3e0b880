import { existsSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

import { describe, expect, it } from 'vitest';

import { openPseudoTerminal } from '../../src/linux/pseudo-terminal.ts';

describe('openPseudoTerminal()', () => {
  it('opens a new pair, whose terminal has the path that it says', () => {
    const [one, two] = [openPseudoTerminal(), openPseudoTerminal()];
    try {
      expect([existsSync(one.path), isatty(one.master)]).toEqual([true, true]);
      expect(one.path).not.toBe(two.path);
    } finally {
      one.close();
      two.close();
    }
    expect(existsSync(one.path)).toBe(false);
  });

  it('closes the master once, and not when it was released', () => {
    const terminal = openPseudoTerminal();
    const { master } = terminal;
    terminal.close();
    terminal.close();
    expect(() => fstatSync(master)).toThrow('EBADF');
    const released = openPseudoTerminal();
    const descriptor = released.release();
    released.close();
    expect(isatty(descriptor)).toBe(true);
    expect(() => released.release()).not.toThrow();
  });
});
