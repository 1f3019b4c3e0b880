import { readSync } from 'node:fs';

import { Refusal } from './refusal.ts';

/** A compressed layer as an open regular file. */
export interface BlobSource {
  readonly fd: number;
  /** In bytes. */
  readonly size: number;
  /** Called with the number of bytes that have been read so far. */
  onRead(bytes: number): void;
}

/** Bytes read at once. Large, because the decompressing thread is given no more until this one looks up from its work. */
export const READ_SIZE: number = 2 * 1024 * 1024;

/** Fills `buffer` from `position` on; answers the part of it that was read, shorter only at the end of the blob. */
export function readBlob(source: BlobSource, buffer: Buffer, position: number): Buffer {
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(source.fd, buffer, length, buffer.length - length, position + length);
    if (count === 0) break;
    length += count;
  }
  if (position + length < source.size && length < buffer.length) {
    throw new Refusal('its blob became shorter while it was read', { code: 'ERR_STORE' });
  }
  source.onRead(position + length);
  return buffer.subarray(0, length);
}
