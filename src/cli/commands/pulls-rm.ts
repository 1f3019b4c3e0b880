import { isToolError } from '../../errors.ts';
import { CliError } from '../cli-error.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { eachOperand } from '../each-operand.ts';
import { booleanFlag } from '../flags.ts';
import { humanSize } from '../../human-size.ts';

const flags = { all: booleanFlag({ short: 'a', about: 'Remove all that no pull is at' }) };

export const pullsRmCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] DIGEST|IMAGE [DIGEST|IMAGE...]',
    about: 'Remove partial downloads',
    paths: ['pulls rm', 'pulls remove'],
    flags,
    takes: [0, Number.POSITIVE_INFINITY],
  },
  async ({ flags: { all }, operands, path }, context) => {
    const { engine, home, stdout } = context;
    if (all === operands.length > 0) {
      const problem = all ? '--all takes no arguments' : `'${path}' requires at least 1 argument, or --all`;
      throw new CliError(`mydocker: ${problem}\n\nSee '${path} --help' for more information`);
    }
    const idle = all ? (await engine.partialDownloads({ home })).filter(({ active }) => !active) : [];
    let freed = 0;
    // Of all, one may have been taken up or removed since.
    const isFine = (error: unknown): boolean => all && isToolError(error, 'ERR_CONFLICT', 'ERR_NO_SUCH_DOWNLOAD');
    const code = await eachOperand(all ? idle.map(({ digest }) => digest) : operands, context, {
      async act(name) {
        const removed = await engine.removePartialDownload(name, { home });
        for (const { size } of removed) freed += size;
        return removed.map(({ digest }) => `${digest}\n`).join('');
      },
      isSilent: isFine,
      isHarmless: isFine,
    });
    stdout.write(`Total reclaimed space: ${humanSize(freed, 3)}\n`);
    return code;
  },
);
