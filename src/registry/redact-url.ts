import { printable } from '../printable.ts';

/** A URL for messages and logs: no user info, no query (both carry secrets), safe to print. */
export function redactUrl(url: URL): string {
  return printable(`${url.protocol}//${url.host}${url.pathname}`);
}
