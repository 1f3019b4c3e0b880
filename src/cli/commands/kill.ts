import { printable } from '../../printable.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { eachOperand } from '../each-operand.ts';
import { stringFlag } from '../flags.ts';

const flags = { signal: stringFlag({ short: 's', about: 'Signal to send to the container' }) };

export const killCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    about: 'Kill one or more running containers',
    paths: ['container kill', 'kill'],
    flags,
    takes: [1, Number.POSITIVE_INFINITY],
  },
  async ({ flags: { signal: signalName }, operands }, context) =>
    eachOperand(operands, context, {
      async act(name, signal) {
        await context.engine.killContainer(name, { home: context.home, signalName, signal });
        return `${printable(name)}\n`;
      },
    }),
);
