import { shortDigest } from '../oci/digest.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import type { PartialDownload } from '../store/partial-downloads.ts';
import { makeStruct } from './go-template/value.ts';
import type { StructValue } from './go-template/value.ts';
import { humanDuration } from './human-duration.ts';
import { humanSize } from '../human-size.ts';

export const PARTIAL_DOWNLOAD_TITLES: Readonly<Record<string, string>> = {
  Digest: 'DIGEST',
  Image: 'IMAGE',
  Size: 'SIZE',
  Total: 'TOTAL',
  Percent: 'PERCENT',
  Age: 'AGE',
  State: 'STATE',
};

export interface PartialDownloadRowOptions {
  /** Whole digests. */
  noTrunc: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

/** The fields that `pulls --format` can use. */
export function partialDownloadRow(
  { digest, reference, size, total, changed, active }: PartialDownload,
  { noTrunc, now }: PartialDownloadRowOptions,
): StructValue {
  return makeStruct('*formatter.partialDownloadContext', {
    Digest: () => (noTrunc ? digest : shortDigest(digest)),
    Image: () => (reference === undefined ? '<none>' : familiarReference(parseReference(reference))),
    Size: () => humanSize(size, 3),
    Total: () => (total === undefined ? NOT_KNOWN : humanSize(total, 3)),
    Percent: () => (total === undefined ? NOT_KNOWN : `${percent(size, total)}%`),
    Age: () => `${humanDuration(now - changed.getTime())} ago`,
    State: () => (active ? 'active' : 'partial'),
  });
}

const NOT_KNOWN = 'N/A';

/** Whole percent that are there for certain: 100 only when all is. */
function percent(size: number, total: number): number {
  return total === 0 ? 100 : Math.floor((size / total) * 100);
}
