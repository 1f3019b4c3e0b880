import type { ToolError } from '../errors.ts';
import { IntegrityError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { printable } from '../printable.ts';
import { askRegistry } from './ask-registry.ts';
import { refuseEncoded, single, unexpected } from './check-head.ts';
import { parseContentRange } from './content-range.ts';
import type { Fetched } from './fetch-authorized.ts';
import type { RegistryChannel } from './registry-channel.ts';
import type { OpenedBlob } from './repository.ts';
import { NetworkError } from './retry.ts';
import type { Purpose } from './status-error.ts';
import { statusError } from './status-error.ts';
import type { TransportResponse } from './transport.ts';

const PARTIAL_CONTENT = 206;
const RANGE_NOT_SATISFIABLE = 416;

export interface BlobRequest {
  descriptor: Descriptor;
  /** Bytes from the start that are there already. */
  offset: number;
  purpose: Purpose;
  signal?: AbortSignal | undefined;
}

/** RemoteRepository.openBlob. */
export async function openBlob(channel: RegistryChannel, request: BlobRequest): Promise<OpenedBlob> {
  const { descriptor, offset, purpose } = request;
  const fetched = await send(channel, request);
  if (!fetched.ok) {
    if (fetched.failure.status === RANGE_NOT_SATISFIABLE && offset > 0)
      return openBlob(channel, { ...request, offset: 0 });
    throw statusError(fetched.failure, purpose, channel.retrying.timing.date());
  }
  const { response } = fetched;
  refuseEncoded(response);
  if (response.status !== PARTIAL_CONTENT) return { offset: 0, body: receive(response, descriptor.size) };
  if (offset === 0) throw unexpected(response, 'it sent a part (206), and the whole was asked for');
  const range = parseContentRange(single(response.headers['content-range']));
  if (range?.first === offset && range.last + 1 === descriptor.size && range.total === descriptor.size) {
    return { offset, body: receive(response, descriptor.size - offset) };
  }
  // Appending these bytes would mix two bodies: from the start, without a range.
  response.discard();
  return openBlob(channel, { ...request, offset: 0 });
}

async function send(channel: RegistryChannel, { descriptor, offset, purpose, signal }: BlobRequest): Promise<Fetched> {
  const path = `${purpose.reference.repository}/blobs/${descriptor.digest}`;
  const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
  return askRegistry(channel, { method: 'GET', path, headers, purpose, signal });
}

/** Checks the length that the head gives at once, and that of the body as it comes. */
function receive(response: TransportResponse, expected: number): AsyncIterable<Uint8Array> {
  const length = single(response.headers['content-length']);
  if (length === undefined || Number(length) === expected) return count(response, expected);
  response.discard();
  throw wrongSize(response, expected, `${printable(length)} bytes`);
}

async function* count(response: TransportResponse, expected: number): AsyncGenerator<Uint8Array, void> {
  let received = 0;
  for await (const chunk of response.read()) {
    received += chunk.byteLength;
    if (received > expected) throw wrongSize(response, expected, 'more');
    yield chunk;
  }
  if (received < expected) throw tooShort(response, expected, received);
}

function tooShort(response: TransportResponse, expected: number, received: number): ToolError {
  const { headers, request } = response;
  const isFramed = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (isFramed) return wrongSize(response, expected, `${received} bytes`);
  // Such a body ends with its connection: a cut looks the same.
  return new NetworkError(
    `Cannot ${request.action}: ${printable(request.url.host)} closed the connection after ${received} of ${expected} bytes`,
    { problem: 'broken', advice: { retry: 'later' } },
  );
}

function wrongSize({ request }: TransportResponse, expected: number, actual: string): IntegrityError {
  return new IntegrityError(
    `Cannot ${request.action}: ${printable(request.url.host)} sends ${actual}, and its descriptor says ${expected}`,
    `${expected} bytes`,
    actual,
  );
}
