import type { Context } from './context.ts';
import type { FlagValues, Flags } from './flags.ts';

/** How a command is called, as data. */
export interface CommandSpec<F extends Flags = Flags> {
  /** What follows the command's path in its usage line: `[OPTIONS] NAME[:TAG|@DIGEST]`. */
  usage: string;
  about: string;
  /** All the paths that lead to it, without the program's name: `image pull`. */
  paths: readonly string[];
  flags: F;
  /** How many operands it takes: at least, at most. */
  takes: readonly [number, number];
  /** The exit code when the command itself fails; `run` has its own, to be told from what it runs. 1 unless given. */
  failureCode?: number | undefined;
  /** What follows the first operand is the operand's business: `run IMAGE ls -l`. */
  stopsAtOperand?: boolean | undefined;
}

export interface Invocation<F extends Flags> {
  flags: FlagValues<F>;
  operands: readonly string[];
  /** As it was called: `mydocker images`. */
  path: string;
}

/** A command as the dispatcher sees it: it parses its own arguments and answers with the exit code. */
export interface CliCommand {
  spec: CommandSpec;
  execute: (call: { path: string; argv: readonly string[] }, context: Context) => Promise<number>;
}
