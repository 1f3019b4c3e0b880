// RFC 9110, 5.6.7: the one form of a date that a server may send. The two obsolete ones count as junk.
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Milliseconds that a Retry-After header asks for, seen from `now` (milliseconds since 1970).
 * undefined for none, junk, zero and dates in the past: the caller's own backoff applies.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return positive(Number(text) * 1000);
  if (HTTP_DATE.test(text)) return positive(Date.parse(text) - now);
  return undefined;
}

function positive(milliseconds: number): number | undefined {
  return milliseconds > 0 ? milliseconds : undefined;
}
