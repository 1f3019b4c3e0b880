import { printable } from '../../printable.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { eachOperand } from '../each-operand.ts';
import { integerFlag, stringFlag } from '../flags.ts';

const flags = {
  signal: stringFlag({ short: 's', about: 'Signal to send to the container' }),
  timeout: integerFlag({
    short: 't',
    about: 'Seconds to wait before killing the container',
    least: -1,
    alias: 'time', // its name until docker 28
  }),
};

export const stopCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    about: 'Stop one or more running containers',
    paths: ['container stop', 'stop'],
    flags,
    takes: [1, Number.POSITIVE_INFINITY],
  },
  async ({ flags: { signal: signalName, timeout }, operands }, context) =>
    eachOperand(operands, context, {
      async act(name, signal) {
        await context.engine.stopContainer(name, { home: context.home, signalName, timeout, signal });
        return `${printable(name)}\n`;
      },
    }),
);
