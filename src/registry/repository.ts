import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { RegistryHost } from './registry-hosts.ts';

/** A manifest or index as it came, its bytes hashed. */
export interface FetchedManifest {
  /** Digest and size are those of `bytes`. `mediaType` is what the answer and the document say; parse before use. */
  descriptor: Descriptor;
  bytes: Uint8Array;
  /** The Content-Type header, with its parameters. */
  contentType: string | undefined;
}

export interface GetManifestOptions {
  /** Media types; manifests and indexes of Docker and OCI when left out. */
  accept?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
}

/** The body of a blob from `offset` on: what was asked for, or 0 when the registry could not start there. */
export interface OpenedBlob {
  offset: number;
  /** Ends after exactly `size - offset` bytes, or throws. Must be read, or left by `break`. */
  body: AsyncIterable<Uint8Array>;
}

/**
 * One repository of a registry, for pulling; mirrors that are configured for it are asked first. All methods throw
 * StatusError (ERR_REGISTRY, ERR_AUTH) for answers that are errors, NetworkError (ERR_NETWORK) when none or only a part
 * came, IntegrityError for content that is not what was asked for, ERR_LIMIT for what is too large, ERR_ABORTED, and
 * ERR_HOST for a configuration that cannot be used.
 */
export interface RemoteRepository {
  /**
   * Fetches a manifest, with retries. The bytes are hashed: they have the digest that was asked for; of a tag, the one
   * that the registry's header gives, if it gives one.
   */
  getManifest(tagOrDigest: string, options?: GetManifestOptions): Promise<FetchedManifest>;
  /**
   * The digest that a tag has by the registry's word: a hint, as nothing is hashed. One try; undefined when the
   * registry gives none or answers with an error: getManifest knows better.
   */
  headManifest(tag: string, options?: { signal?: AbortSignal | undefined }): Promise<Digest | undefined>;
  /** Where blobs can be asked for, in this order. */
  blobHosts(): Promise<RegistryHost[]>;
  /** Starts to fetch a blob from one of its hosts. One try: downloadBlob has the retries, and the other hosts. */
  openBlob(host: RegistryHost, range: BlobRange): Promise<OpenedBlob>;
}

/** A blob from `offset` (bytes, less than its size) to its end. */
export interface BlobRange {
  descriptor: Descriptor;
  offset: number;
  signal?: AbortSignal | undefined;
}
