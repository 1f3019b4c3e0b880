import { ToolError } from '../errors.ts';
import type { TransportResponse } from './transport.ts';

/** The whole body of an answer of at most `limit` bytes. Stops reading where it gets longer; throws ERR_LIMIT then. */
export async function readLimited(response: TransportResponse, limit: number): Promise<Uint8Array> {
  if (Number(response.headers['content-length'] ?? 0) > limit) {
    response.discard();
    throw tooLong(response, limit);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.read()) {
    size += chunk.byteLength;
    if (size > limit) throw tooLong(response, limit); // leaving the loop closes the connection
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** As much of a body as fits into `limit` bytes, for error messages; never throws but for an abort. */
export async function readSome(response: TransportResponse, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let left = limit;
  try {
    for await (const chunk of response.read()) {
      chunks.push(chunk.subarray(0, left));
      left -= chunk.byteLength;
      if (left <= 0) break;
    }
  } catch (error) {
    if (response.request.signal?.aborted === true) throw error;
  }
  return Buffer.concat(chunks);
}

function tooLong({ request }: TransportResponse, limit: number): ToolError {
  return new ToolError(
    'ERR_LIMIT',
    `Cannot ${request.action}: ${request.url.host} answered with more than ${limit} bytes, which is the limit`,
  );
}
