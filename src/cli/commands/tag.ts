import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { interruptible } from '../interruptible.ts';

export const tagCommand: CliCommand = defineCommand(
  {
    usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
    about: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    paths: ['image tag', 'tag'],
    flags: {},
    takes: [2, 2],
  },
  async ({ operands: [source = '', target = ''] }, context) =>
    interruptible(context, async ({ signal }) => {
      await context.engine.tag(source, target, { home: context.home, signal });
      return 0;
    }),
);
