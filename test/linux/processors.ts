import { machineOf } from '../../src/linux/machine.ts';
import type { Processor } from '../../src/linux/runner.ts';
import type { Requirement } from '../support/requirements.ts';

export const THIS_MACHINE: Processor = { machine: machineOf(process.arch), emulator: [] };

/** With programs of this machine: what the emulated runner becomes at its `execve` is not emulated any more. */
export const ARM64: Processor = { machine: 'arm64', emulator: ['/usr/bin/qemu-aarch64-static'] };

/** What the tests of the runner execute it on. Where qemu-user lacks a call, a test is for this machine alone: see 0014-arm64.md. */
export const PROCESSORS: readonly { name: string; processor: Processor; needs: Requirement[] }[] = [
  { name: 'this machine', processor: THIS_MACHINE, needs: [] },
  { name: 'an emulated arm64', processor: ARM64, needs: ['qemu-aarch64-static'] },
];
