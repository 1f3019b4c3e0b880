import { printable } from '../../printable.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { eachOperand } from '../each-operand.ts';

export const protectCommand: CliCommand = protectionCommand(
  'protect',
  [
    'Protect images against rmi and prune',
    '',
    'By name, this name of the image; by ID, all of its names. A pull that finds a newer',
    'image under a protected name moves the name, and the protection with it.',
    "List them with 'mydocker images --filter protected=true'.",
  ].join('\n'),
);

export const unprotectCommand: CliCommand = protectionCommand('unprotect', 'End the protection of images');

function protectionCommand(word: 'protect' | 'unprotect', about: string): CliCommand {
  return defineCommand(
    { usage: 'IMAGE [IMAGE...]', about, paths: [`image ${word}`], flags: {}, takes: [1, Number.POSITIVE_INFINITY] },
    async ({ operands }, context) =>
      eachOperand(operands, context, {
        async act(name, signal) {
          await context.engine[word](name, { home: context.home, signal });
          return `${printable(name)}\n`;
        },
      }),
  );
}
