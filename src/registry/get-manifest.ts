import { IntegrityError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { digestAlgorithm, digestOf, isDigest } from '../oci/digest.ts';
import { asObject, field } from '../oci/fields.ts';
import { MAX_DOCUMENT_BYTES, parseJson } from '../oci/json.ts';
import { ACCEPT_MANIFESTS, MEDIA_TYPES, isIndexMediaType, isManifestMediaType } from '../oci/media-types.ts';
import { askRegistry } from './ask-registry.ts';
import { refuseEncoded, single, unexpected } from './check-head.ts';
import { readLimited, readSome } from './read-limited.ts';
import type { RegistryChannel } from './registry-channel.ts';
import type { FetchedManifest, GetManifestOptions } from './repository.ts';
import type { Retrying } from './retry.ts';
import { withRetries } from './retry.ts';
import type { Purpose } from './status-error.ts';
import { statusError } from './status-error.ts';
import type { TransportResponse } from './transport.ts';

/** RemoteRepository.getManifest. `purpose.reference` has the tag or the digest that is asked for. */
export async function getManifest(
  channel: RegistryChannel,
  purpose: Purpose,
  options: GetManifestOptions & { retrying: Retrying },
): Promise<FetchedManifest> {
  const { signal, retrying, accept = ACCEPT_MANIFESTS } = options;
  const { action } = purpose;
  const attempt = async (): Promise<FetchedManifest> => {
    const response = await request(channel, purpose, { method: 'GET', accept, signal });
    return receive(response, purpose);
  };
  return withRetries(attempt, { ...retrying, signal, action });
}

/** RemoteRepository.headManifest, without its leniency: throws. */
export async function headManifest(
  channel: RegistryChannel,
  purpose: Purpose,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  const response = await request(channel, purpose, { method: 'HEAD', accept: ACCEPT_MANIFESTS, signal });
  await readSome(response, 0); // there is no body, and its end frees the connection
  return digestHeader(response);
}

async function request(
  channel: RegistryChannel,
  purpose: Purpose,
  ask: { method: 'GET' | 'HEAD'; accept: readonly string[]; signal: AbortSignal | undefined },
): Promise<TransportResponse> {
  const { repository, tag, digest } = purpose.reference;
  const { method, accept, signal } = ask;
  const path = `${repository}/manifests/${digest ?? tag ?? 'latest'}`;
  const fetched = await askRegistry(channel, { method, path, headers: { accept: accept.join(', ') }, purpose, signal });
  if (!fetched.ok) throw statusError(fetched.failure, purpose, channel.retrying.timing.date());
  return fetched.response;
}

async function receive(response: TransportResponse, { action, reference }: Purpose): Promise<FetchedManifest> {
  refuseEncoded(response);
  if (response.status !== 200)
    throw unexpected(response, `it sent a part (${response.status}), and the whole was asked for`);
  if (essenceOf(response) === 'text/html') throw unexpected(response, 'it sent a web page (text/html), not a manifest');
  const bytes = await readLimited(response, MAX_DOCUMENT_BYTES);
  const wanted = reference.digest ?? digestHeader(response);
  const digest = digestOf(bytes, wanted === undefined ? 'sha256' : digestAlgorithm(wanted));
  if (wanted !== undefined && digest !== wanted) {
    const source = reference.digest === undefined ? "the registry's Docker-Content-Digest says" : 'it was asked for by';
    const message = `Cannot ${action}: the manifest has digest ${digest}, and ${source} ${wanted}`;
    throw new IntegrityError(message, wanted, digest);
  }
  return {
    descriptor: {
      mediaType: mediaTypeOf(response, bytes),
      // A tag's content is known by sha256 to everyone else, whatever the header was in.
      digest: reference.digest === undefined ? digestOf(bytes) : digest,
      size: bytes.byteLength,
    },
    bytes,
    contentType: single(response.headers['content-type']),
  };
}

/** A header that is no digest, or of an algorithm that we do not know, says nothing. */
function digestHeader({ headers }: TransportResponse): Digest | undefined {
  const text = single(headers['docker-content-digest']);
  return text !== undefined && isDigest(text) ? text : undefined;
}

/** The Content-Type without its parameters, in lower case. */
function essenceOf({ headers }: TransportResponse): string {
  return (single(headers['content-type']) ?? '').replace(/;.*$/s, '').trim().toLowerCase();
}

/** The header where it names a manifest or an index; else what the document says it is, or looks like. */
function mediaTypeOf(response: TransportResponse, bytes: Uint8Array): string {
  const essence = essenceOf(response);
  if (isManifestMediaType(essence) || isIndexMediaType(essence)) return essence;
  const document = asObject(parseJson(bytes, 'manifest'), 'manifest');
  const mediaType = field(document, 'mediaType');
  if (typeof mediaType === 'string') return mediaType;
  return Array.isArray(field(document, 'manifests')) ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest;
}
