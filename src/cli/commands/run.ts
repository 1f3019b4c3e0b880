import { isToolError } from '../../errors.ts';
import { familiarReference, parseReference, withDefaultTag } from '../../oci/reference.ts';
import { CliError } from '../cli-error.ts';
import type { CliCommand } from '../command-spec.ts';
import { createContainerIdFile } from '../container-id-file.ts';
import type { ContainerIdFile } from '../container-id-file.ts';
import { defineCommand } from '../define-command.ts';
import { interruptible } from '../interruptible.ts';
import { createPullProgress } from '../progress/pull-progress.ts';
import { errorMessage } from '../report-error.ts';
import { runFlags } from '../run-flags.ts';
import { readRunRequest } from '../run-request.ts';
import { tellOutOfMemory } from '../tell-out-of-memory.ts';

const FAILED = 125;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/** Exits with what the command exits with; when it could not be run, with docker's codes of its own. */
export const runCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
    about: 'Create and run a new container from an image',
    paths: ['container run', 'run'],
    flags: runFlags,
    takes: [1, Number.POSITIVE_INFINITY],
    stopsAtOperand: true,
    failureCode: FAILED,
  },
  async ({ flags, operands: [image = '', ...command] }, context) =>
    interruptible(context, async (interrupts) => {
      const stderr = flags.quiet ? { ...context.stderr, write: () => undefined } : context.stderr;
      const progress = createPullProgress(stderr, context.now);
      let idFile: ContainerIdFile | undefined;
      try {
        idFile = flags.cidfile === undefined ? undefined : createContainerIdFile(flags.cidfile);
        const end = await context.engine.run(image, {
          ...(await readRunRequest(flags, context)),
          command,
          signal: interrupts.signal,
          signals: interrupts.divert,
          onStarted: ({ id }) => idFile?.write(id),
          onProgress: progress.onEvent,
          onMissing: () => {
            const reference = withDefaultTag(parseReference(image));
            stderr.write(`Unable to find image '${familiarReference(reference)}' locally\n`);
          },
        });
        if (end === 'detached') {
          context.stderr.write('\n'); // the container's prompt may stand there
          return 0;
        }
        tellOutOfMemory(end, context);
        return end.exitCode;
      } catch (error) {
        throw runError(error);
      } finally {
        progress.stop();
        idFile?.close();
      }
    }),
);

function runError(error: unknown): CliError {
  const message = `mydocker: ${errorMessage(error)}\n\nRun 'mydocker run --help' for more information`;
  if (isToolError(error, 'ERR_COMMAND_NOT_FOUND', 'ERR_VOLUME')) return new CliError(message, NOT_FOUND, error);
  if (isToolError(error, 'ERR_COMMAND_NOT_EXECUTABLE')) return new CliError(message, NOT_EXECUTABLE, error);
  return new CliError(message, FAILED, error);
}
