import { FlagError, listFlag } from './flags.ts';
import type { Flag } from './flags.ts';
import { printable } from '../printable.ts';
import { CliError } from './cli-error.ts';

/** The values of each filter, by its name. */
export type Filters = ReadonlyMap<string, readonly string[]>;

export const filterFlag: Flag<readonly string[]> = filterFlagAbout('Filter output based on conditions provided', 'f');

export function filterFlagAbout(about: string, short?: string): Flag<readonly string[]> {
  return listFlag({ short, about, placeholder: 'filter', check: checkForm });
}

function checkForm(text: string): void {
  if (text !== '' && !text.includes('=')) throw new FlagError('bad format of filter (expected name=value)');
}

/**
 * Sorts `name=value` words by name, which is read in lower case and without spaces around it, as docker does.
 * @throws {CliError} for a name that is not among `known`
 */
export function parseFilters(words: readonly string[], known: readonly string[]): Filters {
  const filters = new Map<string, string[]>();
  for (const word of words) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    const name = word.slice(0, equals).trim().toLowerCase();
    if (!known.includes(name)) {
      throw new CliError(`Error: invalid filter '${printable(name)}' (known: ${known.join(', ')})`);
    }
    filters.set(name, [...(filters.get(name) ?? []), word.slice(equals + 1).trim()]);
  }
  return filters;
}

/** A filter that is true or false; `undefined` when it was not given. @throws {CliError} when it is neither */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters.get(name);
  if (values === undefined) return undefined;
  if (values.every((value) => ['true', 'True', 'TRUE', 't', 'T', '1'].includes(value))) return true;
  if (values.every((value) => ['false', 'False', 'FALSE', 'f', 'F', '0'].includes(value))) return false;
  throw invalidFilter(name, values);
}

export function invalidFilter(name: string, values: readonly string[]): CliError {
  return new CliError(`Error: invalid filter '${name}=[${printable(values.join(' '))}]'`);
}
