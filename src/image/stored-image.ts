import type { Digest } from '../oci/digest.ts';
import type { ImageRecord } from '../store/image-record.ts';

/** An image with all of its entries in the store, named and unnamed, at least one. */
export interface StoredImage {
  imageId: Digest;
  records: [ImageRecord, ...ImageRecord[]];
}

/** In the order of their first entries. */
export function storedImages(records: readonly ImageRecord[]): StoredImage[] {
  const images = new Map<Digest, StoredImage>();
  for (const record of records) {
    const image = images.get(record.imageId);
    if (image === undefined) images.set(record.imageId, { imageId: record.imageId, records: [record] });
    else image.records.push(record);
  }
  return [...images.values()];
}
