import { isToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { booleanFlag } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { errorText } from '../report-error.ts';

const flags = { force: booleanFlag({ short: 'f', about: 'Force the removal of a running container (uses SIGKILL)' }) };

export const rmCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    about: 'Remove one or more containers',
    paths: ['container rm', 'container remove', 'rm'],
    flags,
    takes: [1, Number.POSITIVE_INFINITY],
  },
  async ({ flags: { force }, operands }, context) =>
    interruptible(context, async ({ signal }) => {
      const errors: unknown[] = [];
      for (const name of operands) {
        try {
          await context.engine.removeContainer(name, { home: context.home, force, signal });
          context.stdout.write(`${printable(name)}\n`);
        } catch (error) {
          if (signal.aborted) throw error;
          if (!force || !isToolError(error, 'ERR_NO_SUCH_CONTAINER')) errors.push(error);
        }
      }
      for (const error of errors) context.stderr.write(`${errorText(error)}\n`);
      return errors.length === 0 ? 0 : 1;
    }),
);
