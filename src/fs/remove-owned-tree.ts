import { existsSync } from 'node:fs';
import { ToolError } from '../errors.ts';
import type { Ownership } from '../linux/ownership.ts';
import { printable } from '../printable.ts';
import { removeTree } from './remove-tree.ts';

export interface RemoveOwnedTreeOptions {
  /** Whose ids the files may have. */
  ownership: Ownership;
  /** For the runner's executable file: see startRunner. */
  runnerFolder: string;
}

/** Where Linux distributions keep it. */
const RM_PATHS = ['/usr/bin/rm', '/bin/rm'];

/**
 * As `removeTree`, also for a tree with files of subordinate ids, which their owner's own process may not touch:
 * what is left then is removed inside the user namespace.
 */
export async function removeOwnedTree(path: string, options: RemoveOwnedTreeOptions): Promise<void> {
  const { ownership, runnerFolder } = options;
  try {
    await removeTree(path);
    return;
  } catch (error) {
    if (ownership.kind !== 'mapped' || !isDenied(error)) throw error;
  }
  const rm = RM_PATHS.find((candidate) => existsSync(candidate));
  if (rm === undefined)
    throw cannotRemove(path, 'there is no rm on this machine, and one is needed for files of subordinate ids');
  const command = [rm, '-rf', '--', path] as const;
  const { spawnMapped } = await import('../linux/spawn-mapped.ts'); // seldom needed, and slow to load
  const { exited } = spawnMapped({
    command: [...command],
    ownership,
    stdio: ['ignore', 'ignore', 'ignore'],
    env: {},
    runnerFolder,
  });
  const { code } = await exited;
  if (code !== 0) throw cannotRemove(path, `rm ended with ${code ?? 'a signal'}`);
}

function isDenied(error: unknown): boolean {
  const cause = error instanceof ToolError ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return code === 'EACCES' || code === 'EPERM';
}

function cannotRemove(path: string, reason: string): ToolError {
  return new ToolError('ERR_STORE', `Cannot remove "${printable(path)}": ${reason}`);
}
