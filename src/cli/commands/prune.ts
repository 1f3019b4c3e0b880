import type { PruneCriteria } from '../../image/choose-unused.ts';
import type { CliCommand } from '../command-spec.ts';
import { confirm } from '../confirm.ts';
import { defineCommand } from '../define-command.ts';
import { booleanFilter, invalidFilter, parseFilters } from '../filter.ts';
import type { Filters } from '../filter.ts';
import { FlagError, booleanFlag } from '../flags.ts';
import type { Flag } from '../flags.ts';
import { humanDuration } from '../human-duration.ts';
import { humanSize } from '../../human-size.ts';
import { interruptible } from '../interruptible.ts';
import { parseLongDuration } from '../parse-duration.ts';
import { parseSize } from '../parse-size.ts';
import { PRUNE_FILTERS, pruneCriteria, pruneFilterFlag } from '../prune-filters.ts';
import { removedImages, totalSpace } from '../removal-text.ts';

const unusedForFlag: Flag<number | undefined> = {
  about:
    'Remove images, with a name or not, that were neither run nor pulled for this long (e.g. "14d"; units s, m, h, d, w)',
  placeholder: 'duration',
  initial: undefined,
  merge: (text) => {
    const duration = parseLongDuration(text);
    if (duration === undefined) throw new FlagError(`time: invalid duration ${JSON.stringify(text)}`);
    return duration;
  },
};

const keepStorageFlag: Flag<number | undefined> = {
  about:
    'Remove images, with a name or not, that were used longest ago, until the rest takes at most this much (e.g. "10GB")',
  placeholder: 'bytes',
  initial: undefined,
  merge: (text) => {
    const size = parseSize(text);
    if (size === undefined) throw new FlagError(`invalid size: '${text}'`);
    return size;
  },
};

const flags = {
  all: booleanFlag({ short: 'a', about: 'Remove all unused images, not just dangling ones' }),
  'dry-run': booleanFlag({ about: 'Only show what would be removed' }),
  filter: pruneFilterFlag,
  force: booleanFlag({ short: 'f', about: 'Do not prompt for confirmation' }),
  'keep-storage': keepStorageFlag,
  'unused-for': unusedForFlag,
};

export const pruneCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS]',
    about: 'Remove unused images, and partial downloads',
    paths: ['image prune', 'prune'],
    flags,
    takes: [0, 0],
  },
  async ({ flags: { force, 'dry-run': dryRun, ...given } }, context) => {
    const filters = parseFilters(given.filter, ['dangling', ...PRUNE_FILTERS]);
    const criteria: PruneCriteria = {
      ...pruneCriteria(filters, context.now()),
      all: wantsAll(given.all, filters),
      unusedFor: given['unused-for'],
      keepStorage: given['keep-storage'],
    };
    return interruptible(context, async ({ signal }) => {
      if (!dryRun && !force && !(await confirm(warning(criteria), context, signal))) return 0;
      const report = await context.engine.pruneImages({ home: context.home, criteria, dryRun, signal });
      const list = removedImages(report, dryRun ? 'Would delete:' : undefined);
      context.stdout.write(list + totalSpace(report.reclaimedBytes, dryRun ? 'reclaimable' : undefined));
      return 0;
    });
  },
);

/** `--filter dangling=false` is docker's old word for `-a`. */
function wantsAll(all: boolean, filters: Filters): boolean {
  const dangling = booleanFilter(filters, 'dangling');
  if (all && dangling === true) throw invalidFilter('dangling', ['false', 'true']);
  return all || dangling === false;
}

/** Docker's, for what docker can do. */
function warning({ all, unusedFor, keepStorage }: PruneCriteria): string {
  let which = 'all dangling images';
  if (all === true || unusedFor !== undefined || keepStorage !== undefined) {
    which = 'all images without at least one container associated to them';
  }
  if (unusedFor !== undefined) which += ` that were not used for ${humanDuration(unusedFor)}`;
  if (keepStorage !== undefined) {
    which = `${which.replace('all', 'the least recently used')}, until the rest takes at most ${humanSize(keepStorage, 4)}`;
  }
  return `WARNING! This will remove ${which}.\nAre you sure you want to continue?`;
}
