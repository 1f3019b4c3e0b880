/** The PATH of a container whose image sets none: docker's. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentSources {
  hostname: string;
  /** Value of TERM; only with a terminal. */
  terminal?: string | undefined;
  /** `KEY=value` entries of the image. */
  image: readonly string[];
  /** What the user asked for, in order: `KEY=value`, or `KEY` alone to remove it. */
  overrides: readonly string[];
  /** Home folder of the user, taken where nobody set HOME. */
  home: string;
}

/**
 * The environment of the command as `KEY=value` entries: engine, image, user, the later one winning, as with docker.
 * Nothing of the host's environment is in it that the user did not name. Malformed entries of the image are left out.
 */
export function containerEnvironment(sources: EnvironmentSources): string[] {
  const values = new Map([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', sources.hostname],
  ]);
  if (sources.terminal !== undefined) values.set('TERM', sources.terminal);
  for (const entry of sources.image) if (ENTRY.test(entry)) setEntry(values, entry);
  for (const entry of sources.overrides) {
    if (entry.includes('=')) setEntry(values, entry);
    else values.delete(entry);
  }
  if ((values.get('HOME') ?? '') === '') values.set('HOME', sources.home);
  return Array.from(values, ([key, value]) => `${key}=${value}`);
}

const ENTRY = /^[^=\0]+=[^\0]*$/;

function setEntry(values: Map<string, string>, entry: string): void {
  const equals = entry.indexOf('=');
  values.set(entry.slice(0, equals), entry.slice(equals + 1));
}

/** The value of `key`, the last one winning, in a list of `KEY=value` entries. */
export function environmentValue(environment: readonly string[], key: string): string | undefined {
  const entry = environment.findLast((candidate) => candidate.startsWith(`${key}=`));
  return entry?.slice(key.length + 1);
}
