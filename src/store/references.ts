import { chainIds } from '../oci/chain-id.ts';
import { isDigest, type Digest } from '../oci/digest.ts';
import { arrayField, asObject, field, objectField, stringField, stringsField, type JsonObject } from '../oci/fields.ts';
import { malformed, parseJson } from '../oci/json.ts';
import { isIndexMediaType, isManifestMediaType } from '../oci/media-types.ts';

/** What a document in the store refers to. */
export interface References {
  /** May be documents themselves: manifests of an index, the config of a manifest. */
  documents: Array<{ digest: Digest; kind: 'manifest' | 'config' | 'unknown' }>;
  /** Layers and other content that refers to nothing. */
  blobs: Digest[];
  /** Of the unpacked layers that an image config stands for, each with the ones below. */
  chainIds: Digest[];
}

/**
 * Finds what a manifest, an index or an image config refers to, by its shape. Deliberately takes more than the parsers that a
 * pull goes through: what another tool has put into the layout (artifacts, foreign layers) must be kept too.
 * `what` names the document in errors. Throws ERR_MANIFEST, ERR_LIMIT for what is no such document at all.
 */
export function referencesOf(bytes: Uint8Array, what: string): References {
  const document = asObject(parseJson(bytes, what), what);
  const config = objectField(document, 'config', what);
  const isConfig = field(document, 'rootfs') !== undefined;
  const manifests = objectsIn(document, 'manifests', what).map((child) => childDocument(child, what));
  // In an image config, "config" is what the container is to run.
  const configs = isConfig || config === undefined ? [] : [{ digest: digestIn(config, what), kind: 'config' as const }];
  return {
    documents: [...manifests, ...configs],
    blobs: ['layers', 'blobs'].flatMap((key) => objectsIn(document, key, what)).map((blob) => digestIn(blob, what)),
    chainIds: isConfig ? chainIdsOf(document, what) : [],
  };
}

function objectsIn(document: JsonObject, key: string, what: string): JsonObject[] {
  return (arrayField(document, key, what) ?? []).map((value, at) => asObject(value, `${what} ${key}[${at}]`));
}

/** An index may list anything. */
function childDocument(child: JsonObject, what: string): References['documents'][number] {
  const mediaType = stringField(child, 'mediaType', what) ?? '';
  const isDocument = isManifestMediaType(mediaType) || isIndexMediaType(mediaType);
  return { digest: digestIn(child, what), kind: isDocument ? 'manifest' : 'unknown' };
}

function digestIn(descriptor: JsonObject, what: string): Digest {
  return checked(stringField(descriptor, 'digest', what), what);
}

function chainIdsOf(config: JsonObject, what: string): Digest[] {
  const rootfs = objectField(config, 'rootfs', what) ?? {};
  return chainIds((stringsField(rootfs, 'diff_ids', what) ?? []).map((diffId) => checked(diffId, what)));
}

function checked(digest: string | undefined, what: string): Digest {
  if (digest !== undefined && isDigest(digest)) return digest;
  throw malformed(what, `"${digest ?? ''}" is not a digest`);
}
