import { hasLabels } from '../image/has-labels.ts';
import type { ImageSummary } from '../image/list-images.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import { printable } from '../printable.ts';
import { CliError } from './cli-error.ts';
import { booleanFilter, invalidFilter } from './filter.ts';
import type { Filters } from './filter.ts';
import { compileGlob } from './go-glob.ts';
import { parseMoment } from './parse-moment.ts';

export const IMAGE_FILTERS: readonly string[] = [
  'before',
  'dangling',
  'label',
  'protected',
  'reference',
  'since',
  'until',
];

export interface ImageFilterOptions {
  filters: Filters;
  /** Dangling images are left out unless all are wanted, or a filter asks for them. */
  all: boolean;
  /** Milliseconds since 1970. */
  now: number;
  labelsOf: (image: ImageSummary) => Promise<Readonly<Record<string, string>>>;
}

/** The images that pass all filters. @throws {CliError} for a value that a filter does not take */
export async function filterImages(
  images: readonly ImageSummary[],
  { filters, all, now, labelsOf }: ImageFilterOptions,
): Promise<ImageSummary[]> {
  const dangling = booleanFilter(filters, 'dangling') ?? (all ? undefined : false);
  const isProtected = booleanFilter(filters, 'protected');
  const [from, to] = creationBounds(images, filters, now);
  const patterns = (filters.get('reference') ?? []).map(referencePattern);
  const chosen = images.filter((image) => {
    const created = image.created?.getTime() ?? 0;
    if (dangling !== undefined && image.dangling !== dangling) return false;
    if (isProtected !== undefined && image.protected !== isProtected) return false;
    return created > from && created < to && (patterns.length === 0 || patterns.some((matches) => matches(image)));
  });
  const wanted = filters.get('label');
  if (wanted === undefined) return chosen;
  const labels = await Promise.all(chosen.map(labelsOf));
  return chosen.filter((_, at) => hasLabels(labels[at] ?? {}, wanted));
}

/** Creation times, in milliseconds, that an image must be between. */
function creationBounds(images: readonly ImageSummary[], filters: Filters, now: number): [number, number] {
  const createdOf = (text: string): number => findImage(images, text).created?.getTime() ?? 0;
  const since = (filters.get('since') ?? []).map(createdOf);
  const before = (filters.get('before') ?? []).map(createdOf);
  const until = (filters.get('until') ?? []).map((text) => {
    const moment = parseMoment(text, now);
    if (moment === undefined) throw invalidFilter('until', [text]);
    return moment;
  });
  return [Math.max(Number.NEGATIVE_INFINITY, ...since), Math.min(Number.POSITIVE_INFINITY, ...before, ...until)];
}

/** Matches `REPOSITORY` or `REPOSITORY:TAG`, both with wildcards, against the familiar and the canonical name. */
function referencePattern(pattern: string): (image: ImageSummary) => boolean {
  const glob = compileGlob(pattern);
  if (glob === undefined) throw invalidFilter('reference', [pattern]);
  return ({ name, repository, tag, digest }) => {
    if (name === undefined || repository === undefined) return false;
    const suffix = tag === undefined ? `@${digest}` : `:${tag}`;
    return [repository, `${repository}${suffix}`, name, name.slice(0, -suffix.length)].some((text) => glob.test(text));
  };
}

/** The image that a filter names, by name or by the beginning of an ID. */
function findImage(images: readonly ImageSummary[], text: string): ImageSummary {
  const name = canonicalName(text);
  const hex = text.replace(/^sha256:/, '');
  const hasId = ({ id, digest }: ImageSummary): boolean => [id, digest].some((one) => one.startsWith(`sha256:${hex}`));
  const found =
    images.find((image) => image.name === name) ?? (/^[0-9a-f]+$/.test(hex) ? images.find(hasId) : undefined);
  if (found === undefined) throw new CliError(`Error: No such image: ${printable(text)}`);
  return found;
}

function canonicalName(text: string): string | undefined {
  try {
    return formatReference(withDefaultTag(parseReference(text)));
  } catch {
    return undefined; // not a name; it may be an ID
  }
}
