import type { IOType } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { CopiedFile, OpenPipes, PipePlace } from './copy-files.ts';
import { NULL_DEVICE, callersDescriptor } from './host-view.ts';

type Stdio = readonly (IOType | number)[];

export interface RedirectedStdio extends Pick<OpenPipes, 'copy' | 'close'> {
  /** What the command gets. */
  stdio: Stdio;
}

/**
 * Puts pipes in the place of files and devices among the command's descriptors. Whoever holds a descriptor can open what is behind it
 * anew through /proc/self/fd, and with other rights: to write to what it was to read, to read what it was to append to.
 */
export async function redirectFiles(stdio: Stdio, place: PipePlace): Promise<RedirectedStdio> {
  const files = filesAmong(stdio);
  if (files.length === 0) return { stdio, copy: async () => Promise.resolve(), close: () => undefined };
  const { openPipes } = await import('./copy-files.ts');
  const { ends, ...pipes } = await openPipes(files, place);
  return { ...pipes, stdio: stdio.map((source, descriptor) => ends.get(descriptor) ?? source) };
}

/** One for each file, so that stdout and stderr that are the same one keep their order. */
export function filesAmong(stdio: Stdio): CopiedFile[] {
  const files = new Map<string, CopiedFile>();
  for (const [descriptor, source] of stdio.entries()) {
    const ours = callersDescriptor(source, descriptor);
    if (ours === undefined || canBeHandedOn(ours)) continue;
    const { dev, ino } = fstatSync(ours, { bigint: true });
    const key = `${descriptor === 0 ? 'input' : 'output'} ${dev} ${ino}`;
    const file = files.get(key);
    if (file === undefined) files.set(key, { ours, descriptors: [descriptor] });
    else file.descriptors.push(descriptor);
  }
  return [...files.values()];
}

/** No path opens a socket; a pipe, a terminal and /dev/null give nobody more than they gave before. */
function canBeHandedOn(ours: number): boolean {
  const stats = fstatSync(ours);
  if (stats.isCharacterDevice()) return stats.rdev === NULL_DEVICE || isatty(ours);
  return stats.isFIFO() || stats.isSocket();
}
