import { constants } from 'node:fs';
import { AT, O, OPEN_HOW_SIZE, RESOLVE, openHow } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';
import type { AccountFiles } from '../../snapshot/account-files.ts';

/**
 * Adds lines to the container's own /etc/passwd and /etc/group. In place and not bound over them, so that useradd can replace the
 * files; before anything of the host's is mounted inside. A name for a number is not worth failing for.
 */
export function accountEntrySteps(entries: AccountFiles | undefined): Step[] {
  if (entries === undefined) return [];
  return [...appendSteps('/etc/passwd', entries.passwd), ...appendSteps('/etc/group', entries.group)];
}

function appendSteps(path: string, text: string): Step[] {
  if (text === '') return [];
  const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;
  const flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O.CLOEXEC;
  const how = openHow({ flags, resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS });
  const [save, what] = [`append ${path}`, `add the user to ${path}`];
  return [
    { call: 'openat2', args: [AT.FDCWD, path, how, OPEN_HOW_SIZE], save, ignore: 'all', what },
    { call: 'write', args: [{ result: save }, text, Buffer.byteLength(text)], ignore: 'all', what },
    { call: 'close', args: [{ result: save }], ignore: 'all', what },
  ];
}
