import type { ImageSummary } from '../image/list-images.ts';
import { shortDigest } from '../oci/digest.ts';
import { makeStruct } from './go-template/value.ts';
import type { StructValue } from './go-template/value.ts';
import { goTime } from './go-time.ts';
import { humanDuration } from './human-duration.ts';
import { humanSize } from '../human-size.ts';

export const IMAGE_TITLES: Readonly<Record<string, string>> = {
  ID: 'IMAGE ID',
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
};

export interface ImageRowOptions {
  /** Whole IDs. */
  noTrunc: boolean;
  /** Docker tells digests only when they are asked for. */
  digests: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

/** The fields that `images --format` can use. Everything in it is safe for a terminal: names and digests by their grammar. */
export function imageRows(images: readonly ImageSummary[], options: ImageRowOptions): StructValue[] {
  const tagged = new Set(images.filter(({ tag }) => tag !== undefined).map(inRepository));
  // Docker lists a digest only where the image has no tag of that repository.
  const isTold = (image: ImageSummary): boolean =>
    image.dangling || image.tag !== undefined || !tagged.has(inRepository(image));
  return images.filter(isTold).map((image) => imageRow(image, options));
}

function inRepository({ id, repository = '' }: ImageSummary): string {
  return `${id} ${repository}`;
}

/** One row, whatever other names the image has. */
export function imageRow(image: ImageSummary, { noTrunc, digests, now }: ImageRowOptions): StructValue {
  const { id, created, sizeBytes } = image;
  return makeStruct('*formatter.imageContext', {
    ID: () => (noTrunc ? id : shortDigest(id)),
    Repository: () => image.repository ?? NONE,
    Tag: () => image.tag ?? NONE,
    Digest: () => (digests && !image.dangling ? image.digest : NONE),
    CreatedSince: () => (created === undefined ? '' : `${humanDuration(now - created.getTime())} ago`),
    CreatedAt: () => (created === undefined ? '' : goTime(created)),
    Size: () => humanSize(sizeBytes, 3),
    Containers: () => NOT_KNOWN,
    SharedSize: () => NOT_KNOWN,
    UniqueSize: () => NOT_KNOWN,
  });
}

const NONE = '<none>';
const NOT_KNOWN = 'N/A'; // as docker says where it has not counted
