import { checkStdin } from '../check-stdin.ts';
import { CliError } from '../cli-error.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { detachKeysFlag, wantedDetachKeys } from '../detach-keys-flag.ts';
import { booleanFlag } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { tellOutOfMemory } from '../tell-out-of-memory.ts';

const flags = {
  'detach-keys': detachKeysFlag,
  'no-stdin': booleanFlag({ about: 'Do not attach STDIN' }),
  // Docker passes signals on only to containers without a terminal, and those cannot be attached to here.
  'sig-proxy': booleanFlag({ about: 'Proxy all received signals to the process', hidden: true }),
};

/** Exits with what the command exits with. */
export const attachCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] CONTAINER',
    about: 'Attach local standard input, output, and error streams to a running container',
    paths: ['container attach', 'attach'],
    flags,
    takes: [1, 1],
  },
  async ({ flags, operands: [container = ''] }, context) =>
    interruptible(context, async ({ signal }) => {
      const { home, env, engine, openTerminal } = context;
      const isInteractive = !flags['no-stdin'];
      const detachKeys = await wantedDetachKeys(flags['detach-keys'], { env, isInteractive });
      if (isInteractive) checkStdin(context);
      const end = await engine.attach(container, {
        home,
        terminal: await openTerminal({ isInteractive }),
        detachKeys,
        signal,
      });
      if (end === 'detached') throw new CliError('read escape sequence');
      tellOutOfMemory(end, context);
      return end.exitCode;
    }),
);
