import type { ContainerSummary } from '../container/list-containers.ts';
import { hasLabels } from '../image/has-labels.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import { invalidFilter } from './filter.ts';
import type { Filters } from './filter.ts';

export const CONTAINER_FILTERS: readonly string[] = ['ancestor', 'exited', 'id', 'label', 'name', 'status'];

// Those after `dead` never occur here; scripts ask for them all the same.
const STATUSES = ['created', 'running', 'exited', 'dead', 'paused', 'restarting', 'removing'];

/** The containers that pass all filters, each of which passes what matches one of its values. @throws {CliError} for a bad value */
export function filterContainers(containers: readonly ContainerSummary[], filters: Filters): ContainerSummary[] {
  const checks = [...filters].map(([name, values]) => check(name, values));
  return containers.filter((container) => checks.every((passes) => passes(container)));
}

function check(name: string, values: readonly string[]): (container: ContainerSummary) => boolean {
  const any = (matches: (value: string, container: ContainerSummary) => boolean) => (container: ContainerSummary) =>
    values.some((value) => matches(value, container));
  switch (name) {
    case 'ancestor':
      return any(isAncestor);
    case 'exited':
      if (!values.every((value) => /^-?\d+$/.test(value))) throw invalidFilter(name, values);
      return any((value, { exitCode }) => exitCode === Number(value));
    case 'id':
      return any((value, { id }) => id.startsWith(value));
    case 'label': // all of them, and not one
      return ({ record }) => hasLabels(record?.labels ?? {}, values);
    case 'status':
      if (!values.every((value) => STATUSES.includes(value))) throw invalidFilter(name, values);
      return any((value, { status }) => status === value);
    default:
      return any((value, container) => matchesName(value, container.record?.name ?? ''));
  }
}

/** As with docker a regular expression, for the name with or without the slash that docker puts before it. */
function matchesName(pattern: string, name: string): boolean {
  try {
    const expression = new RegExp(pattern);
    return expression.test(name) || expression.test(`/${name}`);
  } catch {
    return name === pattern;
  }
}

function isAncestor(text: string, { record }: ContainerSummary): boolean {
  if (record === undefined) return false;
  const { image, imageId } = record;
  const hex = text.replace(/^sha256:/, '');
  if (/^[0-9a-f]{4,}$/.test(hex) && imageId.replace(/^sha256:/, '').startsWith(hex)) return true;
  return image === text || canonicalName(image) === canonicalName(text);
}

function canonicalName(text: string): string {
  try {
    return formatReference(withDefaultTag(parseReference(text)));
  } catch {
    return text; // an ID
  }
}
