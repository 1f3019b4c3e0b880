import { readFileSync } from 'node:fs';
import { hasErrno } from '../fs/disk-error.ts';
import { DEATH_SIGNAL, forwardedSignals } from '../linux/fork-steps.ts';
import { processStartTime } from '../linux/process-start-time.ts';
import { SIGNAL } from '../linux/process-flags.ts';
import { readState } from './container-record.ts';

/**
 * Sends a signal to the command of a container, by number; answers whether there was a process to send it to, which in the first
 * moments of a container there is not.
 */
export function signalContainer(containers: string, id: string, number: number): boolean {
  const { waiter } = readState(containers, id);
  if (waiter === undefined || processStartTime(waiter.pid) !== waiter.startTime) return false;
  // The waiter kills the container for good: it is not in there.
  if (number === SIGNAL.KILL) return send(waiter.pid, DEATH_SIGNAL);
  if (isForwarded(number)) return send(waiter.pid, number);
  const command = childOf(waiter.pid);
  return command !== undefined && send(command, number);
}

/** What a waiter keeps to itself, or cannot catch, is sent past it. */
function isForwarded(number: number): boolean {
  return number !== SIGNAL.STOP && ((forwardedSignals() >> BigInt(number - 1)) & 1n) === 1n;
}

/** The waiter has one child of its own making; orphans may come after it. Needs CONFIG_PROC_CHILDREN: proc_pid_task(5). */
function childOf(pid: number): number | undefined {
  try {
    const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ');
    return first === '' ? undefined : Number(first);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

function send(pid: number, number: number): boolean {
  try {
    process.kill(pid, number);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ESRCH')) return false;
    throw error;
  }
}
