import type { CliCommand } from '../command-spec.ts';
import { CONTAINER_TITLES, containerRow } from '../container-rows.ts';
import { defineCommand } from '../define-command.ts';
import { filterFlag, parseFilters } from '../filter.ts';
import { CONTAINER_FILTERS, filterContainers } from '../filter-containers.ts';
import { booleanFlag, integerFlag } from '../flags.ts';
import { formatFlag, formatRows } from '../format-rows.ts';

const flags = {
  all: booleanFlag({ short: 'a', about: 'Show all containers (default shows just running)' }),
  filter: filterFlag,
  format: formatFlag,
  last: integerFlag({ short: 'n', about: 'Show n last created containers (includes all states)', least: -1 }),
  latest: booleanFlag({ short: 'l', about: 'Show the latest created container (includes all states)' }),
  'no-trunc': booleanFlag({ about: "Don't truncate output" }),
  quiet: booleanFlag({ short: 'q', about: 'Only display container IDs' }),
};

const TABLE = 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';

export const psCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS]',
    about: 'List containers',
    paths: ['container ls', 'container list', 'container ps', 'ps'],
    flags,
    takes: [0, 0],
  },
  async ({ flags: { all, quiet, ...given } }, context) => {
    const { stdout, stderr } = context;
    const filters = parseFilters(given.filter, CONTAINER_FILTERS);
    const isDefault = given.format === undefined || given.format === '' || given.format === 'table';
    if (quiet && !isDefault) {
      stderr.write('WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
    }
    const wanted = given.last ?? (given.latest ? 1 : -1); // none or less: no limit, as with docker
    const showsAll = all || wanted > 0 || filters.has('status');
    const containers = filterContainers(await context.engine.containers({ home: context.home }), filters);
    const shown = containers.filter(({ status }) => showsAll || status === 'running');
    const options = { noTrunc: given['no-trunc'], now: context.now() };
    const rows = shown.slice(0, wanted > 0 ? wanted : undefined).map((container) => containerRow(container, options));
    const format = quiet ? '{{.ID}}' : isDefault ? TABLE : (given.format ?? TABLE);
    stdout.write(formatRows({ format, rows, titles: CONTAINER_TITLES }));
    return 0;
  },
);
