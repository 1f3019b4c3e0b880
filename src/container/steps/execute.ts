import { posix } from 'node:path';
import { AT } from '../../linux/path-flags.ts';
import type { Step } from '../../linux/program.ts';
import { printable } from '../../printable.ts';

export interface ExecuteOptions {
  /** The program and its arguments; not empty. */
  command: readonly string[];
  /** `KEY=value` entries. */
  environment: readonly string[];
  /** PATH of the container. */
  path: string;
}

const MAX_FOLDERS = 100; // each costs a copy of arguments and environment; nobody's PATH has more

/**
 * Becomes the command. A name without a slash is looked up in PATH as the container's user, in the container, and the first
 * executable file is it, as with docker. The last step of the program.
 */
export function executeSteps({ command, environment, path }: ExecuteOptions): Step[] {
  const [name = ''] = command;
  const [argv, envp] = [{ pointers: command }, { pointers: environment }];
  const what = `execute "${printable(name)}"`;
  const execute = (file: string): Step => ({ call: 'execve', args: [file, argv, envp], what });
  if (name.includes('/')) return [execute(name)];
  const files = name === '' ? [] : searchFolders(path).map((folder) => posix.join(folder, name));
  // One question per folder, then one execve per folder; an answer of yes leads to the execve of the same folder.
  return [
    ...files.map((file): Step => ({ ...isExecutable(file), ignore: 'all', skipOnSuccess: files.length })),
    notFound,
    ...files.map(execute),
  ];
}

/** The `what` of the step that fails if no folder of PATH has the command. */
export const NOT_FOUND = 'find the command in PATH';

const X_OK = 1;

function isExecutable(file: string): Step {
  return { call: 'faccessat2', args: [AT.FDCWD, file, X_OK, AT.EACCESS], what: `look for "${printable(file)}"` };
}

/** An empty path, which is ENOENT whatever the image holds. */
const notFound: Step = { call: 'faccessat2', args: [AT.FDCWD, '', X_OK, 0], what: NOT_FOUND };

/** Relative folders are left out: what they mean depends on the working folder, which the image may have filled. */
function searchFolders(path: string): string[] {
  const folders = path.split(':').filter((folder) => folder.startsWith('/'));
  return [...new Set(folders)].slice(0, MAX_FOLDERS);
}
