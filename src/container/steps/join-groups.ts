import { constants } from 'node:fs';
import { posix } from 'node:path';
import { AT, O } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';

/** Moves this process into control groups, which what it starts is born in. Before the namespaces: the container's own group is their root. */
export function joinGroupSteps(folders: readonly string[]): Step[] {
  const what = 'enter the control group';
  return folders.flatMap((folder): Step[] => {
    const save = `group ${folder}`;
    const path = posix.join(folder, 'cgroup.procs');
    return [
      { call: 'openat', args: [AT.FDCWD, path, constants.O_WRONLY | O.CLOEXEC], save, what },
      { call: 'write', args: [{ result: save }, '0', 1], what }, // whoever writes it
      { call: 'close', args: [{ result: save }], what },
    ];
  });
}
