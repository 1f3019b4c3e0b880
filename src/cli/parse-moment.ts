import { parseDuration } from './parse-duration.ts';

/**
 * A moment as docker's `until` takes it: RFC 3339, parts of it (in local time), seconds since 1970, or a duration like `1h30m`
 * before `now`. Milliseconds since 1970; `undefined` for anything else.
 * Source: https://github.com/moby/moby/blob/v29.0.0/client/internal/timestamp/timestamp.go.
 */
export function parseMoment(text: string, now: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const ago = parseDuration(text);
  if (ago !== undefined) return now - ago;
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, day = '', time = '00', zone = ''] = match;
  const moment = Date.parse(`${day}T${time.length === 2 ? `${time}:00` : time}${zone}`);
  return Number.isNaN(moment) ? undefined : moment;
}
