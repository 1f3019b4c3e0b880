import { checkOperandCount, parseCommandLine } from './command-line.ts';
import type { CliCommand, CommandSpec, Invocation } from './command-spec.ts';
import type { Context } from './context.ts';
import { booleanFlag, stringFlag } from './flags.ts';
import type { FlagValues, Flags } from './flags.ts';
import { commandHelp } from './help.ts';

/**
 * Makes a command of its spec and of what it does. `run` is handed parsed flags and the right number of operands,
 * and answers with the exit code. `--help` and `--home` are added to every command.
 */
export function defineCommand<F extends Flags>(
  spec: CommandSpec<F>,
  run: (invocation: Invocation<F>, context: Context) => Promise<number>,
): CliCommand {
  const isTaken = Object.values(spec.flags).some((flag) => flag.short === 'h');
  const common = {
    help: booleanFlag({ about: 'Print usage', short: isTaken ? undefined : 'h', hidden: true }),
    home: stringFlag({ about: 'Folder of the store (default ~/.mydocker)', placeholder: 'dir' }),
  };
  const full: CommandSpec = { ...spec, flags: { ...spec.flags, ...common } };
  return {
    spec: full,
    execute: async ({ path, argv }, context) => {
      const { flags, operands } = parseCommandLine(full, path, argv);
      const { help, home } = flags as FlagValues<typeof common>;
      if (help) {
        context.stdout.write(commandHelp(full, path, context.stdout.columns()));
        return 0;
      }
      checkOperandCount(full, path, operands.length);
      return run({ flags: flags as FlagValues<F>, operands, path }, { ...context, home: home ?? context.home });
    },
  };
}
