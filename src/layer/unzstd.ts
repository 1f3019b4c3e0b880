import { Decompress } from 'fzstd';

import type { StreamDecoder } from '../linux/stream-decoder.ts';
import { readBlob, type BlobSource } from './blob-source.ts';
import { damaged, decodeBlob } from './decode-blob.ts';
import { checkZstdFrames } from './zstd-frames.ts';

/**
 * The content of a zstd blob: of all its frames, with nothing after them. Throws a `Refusal`.
 * Node's own decoder (from 22.15 on) is not used: it ends in silence after the first frame.
 */
export function unzstd(source: BlobSource, decoder: StreamDecoder | undefined): AsyncGenerator<Buffer, void> {
  return decoder === undefined ? unzstdInJavaScript(source) : decodeBlob({ source, decoder, format: 'zstd' });
}

/** fzstd, in this thread, at about a tenth of the speed; it neither limits the window nor notices what is missing or left over. */
async function* unzstdInJavaScript(source: BlobSource): AsyncGenerator<Buffer, void> {
  checkZstdFrames(source);
  const made: Uint8Array[] = [];
  const decoder = new Decompress((bytes) => made.push(bytes));
  for (let position = 0; position < source.size; position += JAVASCRIPT_READ_SIZE) {
    const bytes = readBlob(source, Buffer.alloc(JAVASCRIPT_READ_SIZE), position); // fzstd keeps parts of it
    try {
      decoder.push(bytes, position + bytes.length === source.size);
    } catch (error) {
      throw damaged('zstd', error);
    }
    for (const bytes of made.splice(0)) yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

/** A run-length block makes 128 KiB of four bytes, so that this makes at most 128 MiB at once. */
const JAVASCRIPT_READ_SIZE = 4096;
