import { printable } from '../../printable.ts';
import type { CliCommand } from '../command-spec.ts';
import { confirm } from '../confirm.ts';
import { defineCommand } from '../define-command.ts';
import { parseFilters } from '../filter.ts';
import type { Filters } from '../filter.ts';
import { booleanFlag } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { PRUNE_FILTERS, pruneCriteria, pruneFilterFlag } from '../prune-filters.ts';
import { removedContainers, removedImages, totalSpace } from '../removal-text.ts';

const flags = {
  all: booleanFlag({ short: 'a', about: 'Remove all unused images not just dangling ones' }),
  filter: pruneFilterFlag,
  force: booleanFlag({ short: 'f', about: 'Do not prompt for confirmation' }),
};

export const systemPruneCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS]',
    about: 'Remove unused data',
    paths: ['system prune'],
    flags,
    takes: [0, 0],
  },
  async ({ flags: { all, force, filter } }, context) => {
    const { engine, home, stdout } = context;
    const filters = parseFilters(filter, PRUNE_FILTERS);
    const criteria = pruneCriteria(filters, context.now());
    return interruptible(context, async ({ signal }) => {
      if (!force && !(await confirm(warning(all, filters), context, signal))) return 0;
      const containers = await engine.pruneContainers({ home, criteria, signal });
      stdout.write(removedContainers(containers));
      const images = await engine.pruneImages({ home, criteria: { ...criteria, all }, dryRun: false, signal });
      stdout.write(removedImages(images) + totalSpace(containers.reclaimedBytes + images.reclaimedBytes));
      return 0;
    });
  },
);

/** Docker's, without what there is not here. Source: https://github.com/docker/cli/blob/v29.0.0/cli/command/system/prune.go. */
function warning(all: boolean, filters: Filters): string {
  const removed = [
    'all stopped containers',
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    'all partial downloads',
  ];
  const words = PRUNE_FILTERS.flatMap((name) => (filters.get(name) ?? []).map((value) => `${name}=${value}`));
  const filtered = words.length === 0 ? '' : `\n  Items to be pruned will be filtered with:\n${list(words.sort())}`;
  return `WARNING! This will remove:\n${list(removed)}${filtered}\nAre you sure you want to continue?`;
}

function list(items: readonly string[]): string {
  return items.map((item) => `  - ${printable(item)}\n`).join('');
}
