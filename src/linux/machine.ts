import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { isMachine, type Machine } from './syscalls.ts';

/**
 * The machine that Node calls `arch` (`process.arch`), if programs can be started on it.
 * Throws ToolError ERR_HOST for others, on some of which images can be pulled all the same: see libc-files.ts.
 */
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
