const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * A moment as docker's `until` takes it: RFC 3339, parts of it (in local time), seconds since 1970, or a duration like `1h30m`
 * before `now`. Milliseconds since 1970; `undefined` for anything else.
 * Source: https://github.com/moby/moby/blob/v29.0.0/client/internal/timestamp/timestamp.go.
 */
export function parseMoment(text: string, now: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    const parts = text.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g);
    return [...parts].reduce((moment, [, count, unit = '']) => moment - Number(count) * (UNITS[unit] ?? 0), now);
  }
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, day = '', time = '00', zone = ''] = match;
  const moment = Date.parse(`${day}T${time.length === 2 ? `${time}:00` : time}${zone}`);
  return Number.isNaN(moment) ? undefined : moment;
}
