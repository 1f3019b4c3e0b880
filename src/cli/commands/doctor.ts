import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { booleanFlag } from '../flags.ts';
import { formatFlag, formatRows } from '../format-rows.ts';
import { HOST_FINDING_TITLES, hostFindingRow, hostReportText } from '../host-finding-rows.ts';
import { interruptible } from '../interruptible.ts';

const flags = {
  format: formatFlag,
  network: booleanFlag({ about: 'Ask Docker Hub as well whether it can be reached' }),
  quiet: booleanFlag({ short: 'q', about: 'Only show what is missing' }),
};

const TABLE = 'table {{.State}}\t{{.Check}}\t{{.Found}}\t{{.Remedy}}';

/** Exits with 1 if containers cannot run; what they merely could have more of is no failure. */
export const doctorCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS]',
    about: 'Show what containers lack on this machine, and how to get it',
    paths: ['doctor', 'system doctor'],
    flags,
    takes: [0, 0],
  },
  async ({ flags: { format = '', network, quiet } }, context) =>
    interruptible(context, async ({ signal }) => {
      const { home, env, stdout } = context;
      const { findings, canRun } = await context.engine.examineHost({ home, env, network, signal });
      const shown = quiet ? findings.filter(({ state }) => state !== 'ok') : findings;
      if (format === '') stdout.write(hostReportText(shown, { canRun, quiet }));
      else {
        const template = format === 'table' ? TABLE : format;
        stdout.write(formatRows({ format: template, rows: shown.map(hostFindingRow), titles: HOST_FINDING_TITLES }));
      }
      return canRun ? 0 : 1;
    }),
);
