import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { hasErrno } from '../fs/disk-error.ts';
import type { ContainerOptions } from './container-options.ts';

/**
 * Ends what the command of a container has left running. In a process namespace of its own the kernel does that; with `--pid host`
 * nobody does, and its network and its files would go from under it.
 * @param folder the container's
 */
export async function endStragglers({ pid }: Pick<ContainerOptions, 'pid'>, folder: string): Promise<void> {
  if (pid !== 'host') return;
  const id = basename(folder);
  // While they are being killed they may start others.
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const stragglers = processesOf(id);
    if (stragglers.length === 0) return;
    for (const straggler of stragglers) kill(straggler);
    await setTimeout(RETRY_MS);
  }
}

const MAX_TRIES = 200;
const RETRY_MS = 5;

function processesOf(id: string): number[] {
  // The files that every container is given by the engine, where it has them. A volume with such a file has it elsewhere.
  const given = new RegExp(`/${id}/etc/(hosts|hostname|resolv\\.conf) /etc/\\1 `);
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.filter((name) => given.test(mountsOf(name))).map(Number);
}

function mountsOf(process: string): string {
  try {
    return readFileSync(`/proc/${process}/mountinfo`, 'utf8');
  } catch {
    return ''; // it has ended, or is another user's
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrno(error, 'ESRCH', 'EPERM')) throw error;
  }
}
