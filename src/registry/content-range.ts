/** A Content-Range of bytes; `last` is inclusive. */
export interface ContentRange {
  first: number;
  last: number;
  total: number;
}

/**
 * Reads `bytes 5-9/10`. undefined for everything else, also where the total is unknown (`*`): a client that knows
 * the size of what it wants has no use for it.
 * https://www.rfc-editor.org/rfc/rfc9110#field.content-range
 */
export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(header ?? '');
  if (match === null) return undefined;
  const [first, last, total] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return first <= last && last < total && Number.isSafeInteger(total) ? { first, last, total } : undefined;
}
