import { constants } from 'node:fs';
import { O } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';
import type { Sysctl } from '../parse-sysctl.ts';

/** Writes settings of the kernel through the new /proc, while it is still writable. Needs the mount that is saved as `proc`. */
export function sysctlSteps(sysctls: readonly Sysctl[]): Step[] {
  return sysctls.flatMap(({ path, value }): Step[] => {
    const what = `set sysctl ${path.replaceAll('/', '.')}`;
    const save = `sysctl ${path}`;
    const flags = constants.O_WRONLY | O.CLOEXEC;
    return [
      { call: 'openat', args: [{ result: 'proc' }, `sys/${path}`, flags], save, what },
      { call: 'write', args: [{ result: save }, value, Buffer.byteLength(value)], what },
      { call: 'close', args: [{ result: save }], what },
    ];
  });
}
