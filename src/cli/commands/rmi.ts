import { isToolError } from '../../errors.ts';
import type { RemovalEvent } from '../../image/remove-image.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { booleanFlag } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { errorText } from '../report-error.ts';

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
    interruptible(context, async ({ signal }) => {
      const errors: unknown[] = [];
      for (const name of operands) {
        try {
          const events = await context.engine.removeImage(name, { home: context.home, force, signal });
          context.stdout.write(events.map((event) => `${eventText(event)}\n`).join(''));
        } catch (error) {
          if (signal.aborted) throw error;
          errors.push(error);
        }
      }
      for (const error of errors) context.stderr.write(`${errorText(error)}\n`);
      // Forced, an image that is not there is as good as removed.
      return errors.every((error) => force && isToolError(error, 'ERR_NO_SUCH_IMAGE')) ? 0 : 1;
    }),
);

function eventText(event: RemovalEvent): string {
  return event.kind === 'untagged' ? `Untagged: ${event.reference}` : `Deleted: ${event.digest}`;
}
