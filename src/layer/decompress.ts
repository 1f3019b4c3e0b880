import type { StreamDecoder } from '../linux/stream-decoder.ts';
import { readBlob, READ_SIZE, type BlobSource } from './blob-source.ts';
import { detectCompression } from './compression.ts';
import { gunzip } from './gunzip.ts';
import { BLOCK_SIZE } from './tar-header.ts';
import { unzstd } from './unzstd.ts';

/** Pieces of a layer's archive in order. A piece must not be used any more once the next one is asked for. */
export type ArchiveChunks = AsyncGenerator<Buffer, void>;

/** Native decoders: loaded before the root of the process is changed. */
export interface Decoders {
  gzip: StreamDecoder;
  /** Undefined where the system has no libzstd. */
  zstd: StreamDecoder | undefined;
}

/**
 * The archive in a blob. Decompression goes on in another thread while the caller works on a piece. Without a decoder for zstd, a
 * slow one in JavaScript is used. Throws a `Refusal` for a damaged stream, for anything but zeros after it, and for an unsupported
 * compression.
 */
export function decompress(source: BlobSource, { gzip, zstd }: Decoders): ArchiveChunks {
  switch (detectCompression(readBlob(source, Buffer.alloc(BLOCK_SIZE), 0))) {
    case 'gzip':
      return gunzip(source, gzip);
    case 'zstd':
      return unzstd(source, zstd);
    case 'none':
      return read(source);
  }
}

async function* read(source: BlobSource): ArchiveChunks {
  const buffer = Buffer.allocUnsafe(READ_SIZE);
  for (let position = 0; position < source.size; position += buffer.length) {
    yield readBlob(source, buffer, position);
  }
}
