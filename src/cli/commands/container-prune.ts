import type { CliCommand } from '../command-spec.ts';
import { confirm } from '../confirm.ts';
import { defineCommand } from '../define-command.ts';
import { parseFilters } from '../filter.ts';
import { booleanFlag } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { PRUNE_FILTERS, pruneCriteria, pruneFilterFlag } from '../prune-filters.ts';
import { removedContainers, totalSpace } from '../removal-text.ts';

const flags = {
  filter: pruneFilterFlag,
  force: booleanFlag({ short: 'f', about: 'Do not prompt for confirmation' }),
};

const WARNING = 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?';

export const containerPruneCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS]',
    about: 'Remove all stopped containers',
    paths: ['container prune'],
    flags,
    takes: [0, 0],
  },
  async ({ flags: { force, filter } }, context) => {
    const criteria = pruneCriteria(parseFilters(filter, PRUNE_FILTERS), context.now());
    return interruptible(context, async ({ signal }) => {
      if (!force && !(await confirm(WARNING, context, signal))) return 0;
      const pruned = await context.engine.pruneContainers({ home: context.home, criteria, signal });
      context.stdout.write(removedContainers(pruned) + totalSpace(pruned.reclaimedBytes));
      return 0;
    });
  },
);
