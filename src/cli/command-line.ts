import { Command, Option } from 'commander';
import { printable } from '../printable.ts';
import { CliError } from './cli-error.ts';
import type { CommandSpec, Invocation } from './command-spec.ts';
import { FlagError } from './flags.ts';
import type { Flag, FlagValues, Flags } from './flags.ts';
import { normalizeFlags } from './normalize-flags.ts';

/**
 * Parses what follows a command's path. Commander holds the flags, their defaults and how values merge; docker's ways of
 * writing them (`-it`, `--rm=false`) are brought into the one form `--name=value` first.
 * @throws {CliError} in docker's words, with the usage line
 */
export function parseCommandLine<F extends Flags>(
  spec: CommandSpec<F>,
  path: string,
  argv: readonly string[],
): Invocation<F> {
  const command = new Command().helpOption(false).allowExcessArguments().exitOverride();
  for (const [name, flag] of Object.entries(spec.flags)) command.addOption(commanderOption(name, flag));
  try {
    const { flags, operands } = normalizeFlags(spec.flags, argv, spec.stopsAtOperand ?? false);
    command.parse([...flags.map(([name, value]) => `--${name}=${value}`), '--', ...operands], { from: 'user' });
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    throw new CliError(`${printable(error.message)}\n\n${usage(spec, path)}`, spec.failureCode);
  }
  const values = Object.keys(spec.flags).map((name) => [name, command.getOptionValue(name) as unknown]);
  return { flags: Object.fromEntries(values) as FlagValues<F>, operands: command.args, path };
}

/** @throws {CliError} in docker's words, unless the command was given as many operands as it takes */
export function checkOperandCount(spec: CommandSpec, path: string, count: number): void {
  const [least, most] = spec.takes;
  if (count >= least && count <= most) return;
  const problem = operandProblem(least, most, count);
  const text = usage(spec, path);
  // Docker's own inconsistency, kept: only here it is "See".
  const shown = problem.startsWith('requires at least') ? text.replace('\n\nRun', '\n\nSee') : text;
  throw new CliError(`mydocker: '${path}' ${problem}\n\n${shown}`, spec.failureCode);
}

function operandProblem(least: number, most: number, count: number): string {
  if (most === 0) return 'accepts no arguments';
  const bound = count < least ? least : most;
  const words = bound === 1 ? '1 argument' : `${bound} arguments`;
  if (least === most) return `requires ${words}`;
  return count < least ? `requires at least ${words}` : `requires at most ${words}`;
}

function usage(spec: CommandSpec, path: string): string {
  return `Usage:  ${path} ${spec.usage}\n\nRun '${path} --help' for more information`;
}

/** Every flag takes a value in the one form that commander gets to see; it knows the flag by its whole name only. */
function commanderOption(name: string, flag: Flag<unknown>): Option {
  const option = new Option(`--${name} <value>`, flag.about).default(flag.initial).argParser((value, previous) => {
    try {
      return flag.merge(value, previous);
    } catch (error) {
      if (!(error instanceof FlagError)) throw error;
      const shown = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;
      throw new FlagError(`invalid argument ${JSON.stringify(value)} for "${shown}" flag: ${error.message}`);
    }
  });
  // Else `--no-trunc` would be the negation of a flag `trunc`.
  return Object.assign(option, { negate: false, attributeName: () => name });
}
