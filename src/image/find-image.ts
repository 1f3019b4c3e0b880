import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { isDigest } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/image-record.ts';

/** What a person's word for an image stands for. `records` are all entries of that image, named and unnamed, at least one. */
export interface FoundImage {
  imageId: Digest;
  records: ImageRecord[];
  /** The entry that was named; undefined if the image was found by an ID. */
  named: ImageRecord | undefined;
}

/**
 * Finds an image by name, by name and digest, or by an ID: the digest of its config, manifest or index, whole or the
 * first characters of it. A name goes before an ID, as with docker.
 * @throws {ToolError} ERR_USAGE if a short ID fits several images
 */
export function findImage(records: readonly ImageRecord[], text: string): FoundImage | undefined {
  const named = findByName(records, text);
  if (named !== undefined) return { imageId: named.imageId, records: sameImage(records, named.imageId), named };
  const imageId = findById(records, text);
  return imageId === undefined ? undefined : { imageId, records: sameImage(records, imageId), named: undefined };
}

/** As docker says it when there is no such image. */
export function noSuchImage(text: string): ToolError {
  const reference = referenceOrUndefined(text);
  const name = reference === undefined || /@|:/.test(text) ? text : `${text}:latest`;
  return new ToolError('ERR_NO_SUCH_IMAGE', `No such image: ${printable(name)}`);
}

function findByName(records: readonly ImageRecord[], text: string): ImageRecord | undefined {
  const reference = referenceOrUndefined(text);
  if (reference === undefined) return undefined;
  const name = formatReference(reference);
  const exact = records.find((record) => record.name === name);
  if (exact !== undefined || reference.digest === undefined) return exact;
  // `name@digest` also stands for a tag of that repository which was pulled at that digest.
  const { digest } = reference;
  const prefix = `${reference.registry}/${reference.repository}`;
  return records.find(
    (record) =>
      record.name !== undefined &&
      (record.name.startsWith(`${prefix}:`) || record.name.startsWith(`${prefix}@`)) &&
      (record.target.digest === digest || record.manifest === digest),
  );
}

function referenceOrUndefined(text: string): Reference | undefined {
  try {
    return withDefaultTag(parseReference(text));
  } catch {
    return undefined; // not a name; it may be an ID
  }
}

function findById(records: readonly ImageRecord[], text: string): Digest | undefined {
  const wanted = text.startsWith('sha256:') || isDigest(text) ? text : `sha256:${text}`;
  if (!/^sha(256|512):[0-9a-f]+$/.test(wanted)) return undefined;
  const matches = records.filter((record) => idsOf(record).some((id) => id.startsWith(wanted)));
  const ids = new Set(matches.map(({ imageId }) => imageId));
  if (ids.size > 1) {
    throw new ToolError(
      'ERR_USAGE',
      `Cannot find image "${printable(text)}": it fits ${ids.size} images, and one was wanted`,
      {
        hint: 'Give more characters of the ID.',
      },
    );
  }
  return matches[0]?.imageId;
}

function idsOf(record: ImageRecord): Digest[] {
  return [record.imageId, record.manifest, record.target.digest];
}

function sameImage(records: readonly ImageRecord[], imageId: Digest): ImageRecord[] {
  return records.filter((record) => record.imageId === imageId);
}
