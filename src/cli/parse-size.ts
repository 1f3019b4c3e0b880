/**
 * A size like `10GB`, `1.5 MB`, `512MiB` or `1000`, in bytes. Units are decimal, as those that sizes are printed in, unless they
 * have an `i`. Undefined for anything else, and for what a double does not hold exactly.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(i?)b?$/i.exec(text);
  const [, count, prefix = '', binary] = match ?? [];
  if (count === undefined || (prefix === '' && binary !== '')) return undefined;
  const bytes = Math.round(Number(count) * (binary === '' ? 1000 : 1024) ** PREFIXES.indexOf(prefix.toLowerCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const PREFIXES: readonly string[] = ['', 'k', 'm', 'g', 't', 'p'];
