import { readlinkSync } from 'node:fs';
import { processStartTime } from './process-start-time.ts';

/**
 * Names this process among all that there have been on this machine: its id, when it started, and in which pid namespace the id
 * counts. Digits and dashes, so it fits into a file name.
 */
export function processMark(): string {
  return [process.pid, processStartTime(process.pid), pidNamespace()].join('-');
}

/** Whether the process of a mark is known to have ended: not if its ids count in another pid namespace than ours. */
export function hasEnded(mark: string): boolean {
  const [, pid, startTime, namespace] = MARK.exec(mark) ?? [];
  return pid !== undefined && namespace === pidNamespace() && processStartTime(Number(pid)) !== startTime;
}

const MARK = /^(\d+)-(\d+)-(\d+)$/;

/** How the names of this process's temporary files and folders start, where no lock tells who is at them. */
export function temporaryPrefix(): string {
  return `.tmp-${processMark()}-`;
}

/** Whether a file of this name was temporary, and the process that made it has ended. */
export function isAbandoned(name: string): boolean {
  const [, mark] = TEMPORARY.exec(name) ?? [];
  return mark !== undefined && hasEnded(mark);
}

const TEMPORARY = /^\.tmp-(\d+-\d+-\d+)-/;

function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid').replace(/\D/g, ''); // pid:[4026531836]
}
