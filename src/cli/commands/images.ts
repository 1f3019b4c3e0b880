import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { filterFlag, parseFilters } from '../filter.ts';
import { IMAGE_FILTERS, filterImages } from '../filter-images.ts';
import { booleanFlag } from '../flags.ts';
import { formatFlag, formatRows } from '../format-rows.ts';
import { IMAGE_TITLES, imageRows } from '../image-rows.ts';

const flags = {
  all: booleanFlag({ short: 'a', about: 'Show all images (default hides dangling images)' }),
  digests: booleanFlag({ about: 'Show digests' }),
  filter: filterFlag,
  format: formatFlag,
  'no-trunc': booleanFlag({ about: "Don't truncate output" }),
  quiet: booleanFlag({ short: 'q', about: 'Only show image IDs' }),
};

export const imagesCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] [REPOSITORY[:TAG]]',
    about: 'List images',
    paths: ['image ls', 'image list', 'images'],
    flags,
    takes: [0, 1],
  },
  async ({ flags: { all, digests, quiet, ...given }, operands: [pattern], path }, context) => {
    const { engine, home, stdout } = context;
    const words = pattern === undefined ? given.filter : [...given.filter, `reference=${pattern}`];
    const filters = parseFilters(words, IMAGE_FILTERS);
    const format = imagesFormat(given.format, { quiet, digests });
    const now = context.now();
    const images = await filterImages(await engine.images({ home }), {
      filters,
      all,
      now,
      labelsOf: async (image) => engine.imageLabels(image, { home }),
    });
    const hasDigests = digests || format.includes('{{.Digest}}');
    const rows = imageRows(images, { noTrunc: given['no-trunc'], digests: hasDigests, now });
    stdout.write(formatRows({ format, rows, titles: IMAGE_TITLES }));
    if (rows.length === 0 && path.endsWith(' images') && isImageCommand(pattern)) {
      context.stderr.write(`No images found matching "${pattern}": did you mean "mydocker image ${pattern}"?\n`);
    }
    return 0;
  },
);

const CREATED = '{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}';
const TABLE = `table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t${CREATED}\t{{.Size}}`;
const TABLE_WITH_DIGEST = `table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t${CREATED}\t{{.Size}}`;

/** `--quiet` and `--digests` choose between docker's own formats; to a table of the user's `--digests` adds a column. */
function imagesFormat(format: string | undefined, { quiet, digests }: { quiet: boolean; digests: boolean }): string {
  if (format === undefined || format === '' || format === 'table') {
    if (quiet) return '{{.ID}}';
    return digests ? TABLE_WITH_DIGEST : TABLE;
  }
  const addsColumn = digests && format.startsWith('table') && !format.includes('{{.Digest}}');
  return addsColumn ? `${format}\t{{.Digest}}` : format;
}

/** A word that stands below `docker image`: whoever types it after `images` rarely looks for an image of that name. */
function isImageCommand(word: string | undefined): boolean {
  return word !== undefined && IMAGE_COMMANDS.includes(word);
}

const IMAGE_COMMANDS = 'build history import inspect list load ls protect prune pull push rm save tag unprotect'.split(
  ' ',
);
