import type { DiskUsage } from '../../container/disk-usage.ts';
import type { CliCommand } from '../command-spec.ts';
import { CONTAINER_TITLES } from '../container-rows.ts';
import { defineCommand } from '../define-command.ts';
import { USAGE_TITLES, containerUsageRow, imageUsageRow, usageRows } from '../disk-usage-rows.ts';
import { booleanFlag } from '../flags.ts';
import { formatFlag, formatRows } from '../format-rows.ts';
import { makeStruct } from '../go-template/value.ts';
import { humanSize } from '../../human-size.ts';
import { IMAGE_TITLES } from '../image-rows.ts';
import { interruptible } from '../interruptible.ts';

const flags = {
  format: formatFlag,
  verbose: booleanFlag({ short: 'v', about: 'Show detailed information on space usage' }),
};

const TABLE = 'table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}';
const IMAGE_TABLE =
  'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}';
const CONTAINER_TABLE =
  'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}';

const INCOMPLETE = 'WARNING: Some folders of containers could not be looked into, their sizes are too small.\n';

export const systemDfCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS]',
    about: 'Show disk usage',
    paths: ['system df'],
    flags,
    takes: [0, 0],
  },
  async ({ flags: { format = '', verbose } }, context) =>
    interruptible(context, async ({ signal }) => {
      const usage = await context.engine.diskUsage({ home: context.home, signal });
      const isDefault = format === '' || format === 'table';
      context.stdout.write(
        verbose
          ? verboseText(usage, isDefault ? undefined : format, context.now())
          : formatRows({ format: isDefault ? TABLE : format, rows: usageRows(usage), titles: USAGE_TITLES }),
      );
      if (usage.containers.items.some(({ incomplete }) => incomplete)) context.stderr.write(INCOMPLETE);
      return 0;
    }),
);

function verboseText(
  { images, containers, partialDownloads }: DiskUsage,
  format: string | undefined,
  now: number,
): string {
  const options = { noTrunc: format !== undefined, now };
  const imageRows = images.items.map((item) => imageUsageRow(item, options));
  const containerRows = containers.items.map((item) => containerUsageRow(item, options));
  if (format !== undefined) {
    const row = makeStruct('*formatter.diskUsageContext', { Images: () => imageRows, Containers: () => containerRows });
    return formatRows({ format, rows: [row], titles: {} });
  }
  const imageTable = formatRows({ format: IMAGE_TABLE, rows: imageRows, titles: IMAGE_TITLES });
  const containerTable = formatRows({ format: CONTAINER_TABLE, rows: containerRows, titles: CONTAINER_TITLES });
  return [
    `Images space usage:\n\n${imageTable}`,
    `Containers space usage:\n\n${containerTable}`,
    `Partial downloads usage: ${humanSize(partialDownloads.bytes, 4)}\n`,
  ].join('\n');
}
