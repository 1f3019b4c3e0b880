import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { booleanFlag } from '../flags.ts';
import { formatFlag, formatRows } from '../format-rows.ts';
import { PARTIAL_DOWNLOAD_TITLES, partialDownloadRow } from '../partial-download-rows.ts';

const flags = {
  format: formatFlag,
  'no-trunc': booleanFlag({ about: "Don't truncate output" }),
  quiet: booleanFlag({ short: 'q', about: 'Only show digests' }),
};

const TABLE = 'table {{.Digest}}\t{{.Image}}\t{{.Size}} / {{.Total}}\t{{.Percent}}\t{{.Age}}\t{{.State}}';

export const pullsCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS]',
    about: [
      'List partial downloads',
      '',
      'They are what pulls that were stopped have left; the next pull of the image goes on with them.',
      'AGE is the time since the last byte came. An active one has a pull at it.',
    ].join('\n'),
    paths: ['pulls', 'pulls ls', 'pulls list'],
    flags,
    takes: [0, 0],
  },
  async ({ flags: { quiet, ...given } }, { engine, home, now, stdout }) => {
    const options = { noTrunc: given['no-trunc'], now: now() };
    const rows = (await engine.partialDownloads({ home })).map((download) => partialDownloadRow(download, options));
    const isDefault = given.format === undefined || given.format === '' || given.format === 'table';
    const format = isDefault ? (quiet ? '{{.Digest}}' : TABLE) : (given.format ?? TABLE);
    stdout.write(formatRows({ format, rows, titles: PARTIAL_DOWNLOAD_TITLES }));
    return 0;
  },
);
