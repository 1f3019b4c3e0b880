import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { isMachine, type Machine } from './syscalls.ts';

/** The machine that Node calls `arch` (`process.arch`). Throws ToolError ERR_HOST for one that no runner is there for. */
export function machineOf(arch: string): Machine {
  if (isMachine(arch)) return arch;
  throw new ToolError(
    'ERR_HOST',
    `Cannot start programs on "${printable(arch)}": there are runners for x64 and arm64`,
    {
      hint: 'It takes a processor of one of these kinds, and a 64-bit Node (`node -p process.arch` says which it is).',
    },
  );
}
