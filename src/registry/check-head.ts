import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { TransportResponse } from './transport.ts';

/** The value of a header that comes once; undefined when it is missing or comes several times. */
export function single(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** Throws ERR_REGISTRY for a Content-Encoding: none was asked for, and digests are of what is inside. */
export function refuseEncoded(response: TransportResponse): void {
  const encoding = [response.headers['content-encoding'] ?? []].flat().join(', ');
  if (encoding === '' || encoding.toLowerCase() === 'identity') return;
  throw unexpected(response, `the answer has Content-Encoding "${printable(encoding)}", and none was asked for`);
}

/** ERR_REGISTRY for a head that must not be; the body is given up. */
export function unexpected(response: TransportResponse, problem: string): ToolError {
  response.discard();
  const { action, url } = response.request;
  return new ToolError('ERR_REGISTRY', `Cannot ${action}: ${printable(url.host)} misbehaves: ${problem}`);
}
