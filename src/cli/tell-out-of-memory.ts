import type { RunResult } from '../container/run-container.ts';
import type { Context } from './context.ts';

const KILLED = 137;

/** Says why, where the kernel has killed a command at its memory limit. */
export function tellOutOfMemory(
  { exitCode, isOutOfMemory }: Pick<RunResult, 'exitCode' | 'isOutOfMemory'>,
  { stderr }: Pick<Context, 'stderr'>,
): void {
  if (!isOutOfMemory || exitCode !== KILLED) return;
  stderr.write('mydocker: the kernel has ended a process of the container, which was at its memory limit (oom_kill)\n');
}
