import { isToolError } from '../../errors.ts';
import type { RemovalEvent } from '../../image/remove-image.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { eachOperand } from '../each-operand.ts';
import { booleanFlag } from '../flags.ts';

const flags = { force: booleanFlag({ short: 'f', about: 'Force removal of the image' }) };

export const rmiCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] IMAGE [IMAGE...]',
    about: 'Remove one or more images',
    paths: ['image rm', 'image remove', 'rmi'],
    flags,
    takes: [1, Number.POSITIVE_INFINITY],
  },
  async ({ flags: { force }, operands }, context) =>
    eachOperand(operands, context, {
      async act(name, signal) {
        const events = await context.engine.removeImage(name, { home: context.home, force, signal });
        return events.map((event) => `${eventText(event)}\n`).join('');
      },
      // Forced, an image that is not there is as good as removed.
      isHarmless: (error) => force && isToolError(error, 'ERR_NO_SUCH_IMAGE'),
    }),
);

function eventText(event: RemovalEvent): string {
  return event.kind === 'untagged' ? `Untagged: ${event.reference}` : `Deleted: ${event.digest}`;
}
