import { readFileSync } from 'node:fs';

/**
 * When a process started, in clock ticks since boot: together with its id it names one process. Undefined if it has ended.
 * Source: proc_pid_stat(5), field 22; the second field is in parentheses and may hold anything.
 */
export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
