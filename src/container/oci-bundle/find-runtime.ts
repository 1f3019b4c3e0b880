import { accessSync, constants, statSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { ToolError } from '../../errors.ts';
import { errnoNumber, errnoText } from '../../linux/errno.ts';
import type { Errno } from '../../linux/errno.ts';
import { printable } from '../../printable.ts';

/** A program that runs OCI bundles. */
export interface Runtime {
  /** As the user calls it. */
  name: string;
  /** Absolute. */
  path: string;
}

/** This engine's own runner, which takes no bundle. */
const OWN = 'mydocker';
const KNOWN: readonly string[] = ['runc', 'crun'];

/**
 * Finds what `--runtime` names: `runc` and `crun` in the folders of `searchPath`, as in PATH, or the path of a program. Undefined for
 * the engine's own.
 * @throws {ToolError} ERR_USAGE for any other name, ERR_HOST for a program that is not there or cannot be executed
 */
export function findRuntime(name: string | undefined, searchPath: string): Runtime | undefined {
  if (name === undefined || name === '' || name === OWN) return undefined;
  if (name.includes('/')) {
    const path = resolve(name);
    const obstacle = obstacleAt(path);
    if (obstacle === undefined) return { name, path };
    throw new ToolError('ERR_HOST', `Cannot use runtime "${printable(name)}": ${obstacle}`);
  }
  if (!KNOWN.includes(name)) {
    throw new ToolError('ERR_USAGE', `unknown or invalid runtime name: ${printable(name)}`, {
      hint: `There are ${[OWN, ...KNOWN].join(', ')}, and the path of any other OCI runtime.`,
    });
  }
  // What an empty or relative folder means depends on where one stands.
  const folders = searchPath.split(':').filter((folder) => folder.startsWith('/'));
  const path = folders.map((folder) => posix.join(folder, name)).find((file) => obstacleAt(file) === undefined);
  if (path !== undefined) return { name, path };
  throw new ToolError('ERR_HOST', `Cannot use runtime "${name}": there is no such program in PATH`, {
    hint: `Install the package ${name}, or give the path of the program.`,
  });
}

function obstacleAt(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return 'it is not a file';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? (String(error.code) as Errno) : 'EIO';
    return errnoText(errnoNumber(code));
  }
}
