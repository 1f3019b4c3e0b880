const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5
  μs: 1e-3, // U+03BC
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Milliseconds of a duration without a sign as Go writes it: `5s`, `1m30s`, `1.5h`. undefined: it is none.
 * https://pkg.go.dev/time#ParseDuration
 */
export function parseGoDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)([a-zµμ]+)/g)) {
    milliseconds += Number(count) * (UNITS_MS[unit] ?? 0);
  }
  return milliseconds;
}
