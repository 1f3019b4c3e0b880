/** A moment as Go's `Time.String` prints it, in the local zone: `2024-01-02 15:04:05 +0100 CET`. */
export function goTime(date: Date): string {
  const offset = -date.getTimezoneOffset(); // minutes
  const local = new Date(date.getTime() + offset * 60_000).toISOString();
  const size = Math.abs(offset);
  const numeric = `${offset < 0 ? '-' : '+'}${twoDigits(Math.trunc(size / 60))}${twoDigits(size % 60)}`;
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${numeric} ${zoneName(date, numeric)}`;
}

/** The zone's abbreviation. Node tells it only in a locale that uses it; for zones without one Go shows the offset, too. */
function zoneName(date: Date, numeric: string): string {
  for (const locale of ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA']) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(date);
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]{2,5}$/.test(name)) return name;
  }
  return numeric.replace(/00$/, '');
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
