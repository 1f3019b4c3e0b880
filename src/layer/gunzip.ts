import type { StreamDecoder } from '../linux/stream-decoder.ts';
import { readBlob, READ_SIZE, type BlobSource } from './blob-source.ts';
import { decodeBlob } from './decode-blob.ts';
import { Refusal } from './refusal.ts';

/** The content of a gzip blob: of all its members, with nothing after them but zeros. Throws a `Refusal`. */
export function gunzip(source: BlobSource, decoder: StreamDecoder): AsyncGenerator<Buffer, void> {
  const isEnd = (rest: Buffer, position: number): boolean => rest[0] === 0 && isPadding(source, position);
  return decodeBlob({ source, decoder, format: 'gzip', isEnd });
}

/**
 * Zeros to the end are padding, as tapes have it. Anything else after a zero would be content that one reader sees and another
 * does not: Node's own stream ends there in silence.
 */
function isPadding(source: BlobSource, start: number): true {
  const buffer = Buffer.allocUnsafe(READ_SIZE);
  for (let position = start; position < source.size; position += buffer.length) {
    const bytes = readBlob(source, buffer, position);
    if (!bytes.equals(Buffer.alloc(bytes.length))) throw new Refusal('its gzip stream is followed by something else');
  }
  return true;
}
