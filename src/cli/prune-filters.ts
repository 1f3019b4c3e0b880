import type { ContainerCriteria } from '../container/prune-containers.ts';
import { printable } from '../printable.ts';
import { CliError } from './cli-error.ts';
import { filterFlagAbout } from './filter.ts';
import type { Filters } from './filter.ts';
import type { Flag } from './flags.ts';
import { parseMoment } from './parse-moment.ts';

export const PRUNE_FILTERS: readonly string[] = ['label', 'label!', 'until'];

export const pruneFilterFlag: Flag<readonly string[]> = filterFlagAbout(
  'Provide filter values (e.g. "until=<timestamp>")',
);

/** @throws {CliError} in docker's words for what is no moment, and for two of them */
export function pruneCriteria(filters: Filters, now: number): ContainerCriteria {
  return { until: readUntil(filters, now), labels: filters.get('label'), withoutLabels: filters.get('label!') };
}

function readUntil(filters: Filters, now: number): Date | undefined {
  const [text, ...more] = filters.get('until') ?? [];
  if (text === undefined) return undefined;
  if (more.length > 0) throw new CliError('Error: more than one until filter specified');
  const moment = parseMoment(text, now);
  if (moment === undefined) {
    throw new CliError(`Error: failed to parse value as time or duration: "${printable(text)}"`);
  }
  return new Date(moment);
}
