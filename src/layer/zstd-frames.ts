import { readBlob, READ_SIZE, type BlobSource } from './blob-source.ts';
import { Refusal } from './refusal.ts';

const MAX_WINDOW = 128 * 1024 * 1024; // bytes: what libzstd accepts unless told otherwise

/**
 * Walks over the frames of a zstd blob without decoding them: throws a `Refusal` unless they fill it exactly and none wants a
 * window beyond 128 MiB. Source: https://www.rfc-editor.org/rfc/rfc8878#section-3
 */
export function checkZstdFrames(source: BlobSource): void {
  const bytes = lookInto(source);
  let position = 0;
  while (position < source.size) {
    const magic = bytes.read(position, 4);
    position += 4;
    if (magic === 0xfd2fb528) position = skipFrame(bytes, position);
    else if ((magic & ~0xf) >>> 0 === 0x184d2a50) position += 4 + bytes.read(position, 4);
    else throw new Refusal('its zstd stream is followed by something else');
  }
  if (position > source.size) throw new Refusal('its zstd stream is cut off');
}

interface Bytes {
  /** The little-endian number of 1 to 4 bytes at `position`. */
  read(position: number, length: number): number;
}

function skipFrame(bytes: Bytes, start: number): number {
  const descriptor = bytes.read(start, 1);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeLength = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryLength = [0, 1, 2, 4][descriptor & 3] ?? 0;
  let position = start + 1 + (isSingleSegment ? 0 : 1) + dictionaryLength;
  const window = isSingleSegment
    ? contentSizeOf(bytes, position, contentSizeLength)
    : windowSizeOf(bytes.read(start + 1, 1));
  if (window > MAX_WINDOW) throw new Refusal('its zstd stream wants a window beyond 128 MiB', { code: 'ERR_LIMIT' });
  position += contentSizeLength;
  for (let isLast = false; !isLast;) {
    const block = bytes.read(position, 3);
    isLast = (block & 1) !== 0;
    const isRunLength = ((block >> 1) & 3) === 1;
    position += 3 + (isRunLength ? 1 : block >> 3);
  }
  return position + ((descriptor & 4) === 0 ? 0 : 4); // a checksum
}

function windowSizeOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSizeOf(bytes: Bytes, position: number, length: number): number {
  if (length === 8) return bytes.read(position, 4) + bytes.read(position + 4, 4) * 2 ** 32;
  return bytes.read(position, length) + (length === 2 ? 256 : 0);
}

function lookInto(source: BlobSource): Bytes {
  const buffer = Buffer.allocUnsafe(READ_SIZE);
  let loaded: Buffer = Buffer.alloc(0);
  let start = 0;
  return {
    read(position, length) {
      if (position + length > source.size) throw new Refusal('its zstd stream is cut off');
      if (position < start || position + length > start + loaded.length) {
        start = position;
        loaded = readBlob({ ...source, onRead: () => undefined }, buffer, position);
      }
      return loaded.readUIntLE(position - start, length);
    },
  };
}
