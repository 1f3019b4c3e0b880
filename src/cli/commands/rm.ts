import { isToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { eachOperand } from '../each-operand.ts';
import { booleanFlag } from '../flags.ts';

const flags = { force: booleanFlag({ short: 'f', about: 'Force the removal of a running container (uses SIGKILL)' }) };

export const rmCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    about: 'Remove one or more containers',
    paths: ['container rm', 'container remove', 'rm'],
    flags,
    takes: [1, Number.POSITIVE_INFINITY],
  },
  async ({ flags: { force }, operands }, context) => {
    const isMissing = (error: unknown): boolean => force && isToolError(error, 'ERR_NO_SUCH_CONTAINER');
    return eachOperand(operands, context, {
      async act(name, signal) {
        await context.engine.removeContainer(name, { home: context.home, force, signal });
        return `${printable(name)}\n`;
      },
      isSilent: isMissing,
      isHarmless: isMissing,
    });
  },
);
