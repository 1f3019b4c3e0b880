import { describe, expect, it } from 'vitest';
import { machineOf } from '../../src/linux/machine.ts';

describe('machineOf()', () => {
  it.each(['x64', 'arm64'])('knows %s', (arch) => expect(machineOf(arch)).toBe(arch));

  it.each(['riscv64', 'ia32', 'arm', 'ppc64', 's390x', 'loong64', 'toString', ''])('refuses %s', (arch) => {
    expect(() => machineOf(arch)).toThrow(
      expect.objectContaining({
        code: 'ERR_HOST',
        message: `Cannot start programs on "${arch}": there are runners for x64 and arm64`,
      }),
    );
  });
});
