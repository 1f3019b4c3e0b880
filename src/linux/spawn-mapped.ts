import type { ChildProcess, IOType } from 'node:child_process';
import { once } from 'node:events';
import { printable } from '../printable.ts';
import { dieWithParentSteps } from './die-with-parent.ts';
import { namespaceError } from './namespace-error.ts';
import type { Ownership } from './ownership.ts';
import { CLONE } from './process-flags.ts';
import type { Program } from './program.ts';
import { startRunner } from './runner.ts';
import { userNamespaceSteps } from './user-namespace.ts';

export interface MappedCommand {
  /** An absolute path and the arguments. */
  command: readonly [string, ...string[]];
  ownership: Ownership;
  /** As for child_process.spawn, at least three. */
  stdio: readonly (IOType | number)[];
  /** The whole environment; nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Folder for the runner's executable file: see startRunner. */
  runnerFolder: string;
  /** Aborting kills the command with SIGKILL. */
  signal?: AbortSignal | undefined;
}

export interface MappedProcess {
  /** The command itself (nothing is in between): its `kill`, `pid` and `stdio` are those of the command. */
  child: ChildProcess;
  /**
   * As the 'exit' event of a ChildProcess; settles when the process has ended. Rejects with the reason of an abort and when the
   * command has not been started: with a StepError (`code` ENOENT and so on), a ToolError about namespaces and id maps, or the system error
   * of a process that cannot be created.
   */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/**
 * Runs a command of the host as the root user of the user namespace of `ownership`, with all capabilities there and in a mount
 * namespace of its own; with ownership 'root' as the caller, in the caller's namespaces. It is killed when the caller ends.
 * Throws what startRunner throws.
 */
export function spawnMapped(options: MappedCommand): MappedProcess {
  const { command, ownership, stdio, env, runnerFolder, signal } = options;
  const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const mounts = { call: 'unshare', args: [CLONE.NEWNS], what: 'create a mount namespace' } as const;
  const program: Program = [
    ...userNamespaceSteps(ownership),
    ...(ownership.kind === 'root' ? [] : [mounts]),
    ...dieWithParentSteps(),
    {
      call: 'execve',
      args: [command[0], { pointers: command }, { pointers: environment }],
      what: `start "${printable(command[0])}"`,
    },
  ];
  const { child, started } = startRunner({ program, stdio, idMap: ownership, runnerFolder, signal });
  const exited = exitOf(child, started, signal);
  exited.catch(() => undefined); // who wants to know looks at the promise itself
  return { child, exited };
}

async function exitOf(
  child: ChildProcess,
  started: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const [start, exit] = await Promise.allSettled([started, once(child, 'exit')]);
  signal?.throwIfAborted();
  if (start.status === 'rejected') throw namespaceError(start.reason) ?? start.reason;
  if (exit.status === 'rejected') throw exit.reason;
  const [code, name] = exit.value as [number | null, NodeJS.Signals | null];
  return { code, signal: name };
}
