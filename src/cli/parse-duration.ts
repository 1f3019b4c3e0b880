/** In milliseconds; those that Go's time.ParseDuration knows. */
const GO_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const DAY = 24 * 3_600_000; // milliseconds
const LONG_UNITS: Readonly<Record<string, number>> = { ...GO_UNITS, d: DAY, w: 7 * DAY };

/** A duration as Go writes it, like `1h30m`, without a sign. Milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  return parse(text, GO_UNITS);
}

/** The same with days and weeks, of 24 hours and 7 days: `14d`. */
export function parseLongDuration(text: string): number | undefined {
  return parse(text, LONG_UNITS);
}

function parse(text: string, units: Readonly<Record<string, number>>): number | undefined {
  if (text === '' || text.replace(PARTS, '') !== '') return undefined;
  let sum = 0;
  for (const [, count, unit = ''] of text.matchAll(PARTS)) {
    const size = units[unit];
    if (size === undefined) return undefined;
    sum += Number(count) * size;
  }
  return sum;
}

const PARTS = /(\d+(?:\.\d+)?)([a-zµ]+)/g;
