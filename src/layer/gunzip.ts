import { createGunzip, type Gunzip } from 'node:zlib';

import { readBlob, READ_SIZE, type BlobSource } from './blob-source.ts';
import { Refusal } from './refusal.ts';

/** Bytes of one output buffer. At Node's default of 16 KiB, inflating takes twice as long. */
const CHUNK_SIZE = 2 * 1024 * 1024;
/** Pieces that may wait. One piece can be a thousand small files, and the inflating thread goes on meanwhile. */
const MAX_WAITING = 8;

/** The content of a gzip blob: of all its members, with nothing after them but zeros. Throws a `Refusal`. */
export async function* gunzip(source: BlobSource): AsyncGenerator<Buffer, void> {
  const stream = createGunzip({ chunkSize: CHUNK_SIZE });
  try {
    feed(stream, source);
    yield* piecesOf(stream);
    checkRest(source, stream.bytesWritten);
  } catch (error) {
    throw isZlibError(error) ? new Refusal(`its gzip stream is damaged: ${error.message}`, { cause: error }) : error;
  } finally {
    stream.destroy();
  }
}

/** Writes the blob into `stream`, two reads ahead. */
function feed(stream: Gunzip, source: BlobSource): void {
  let position = 0;
  const next = (buffer: Buffer): void => {
    if (stream.destroyed || stream.readableEnded || stream.writableEnded) return;
    try {
      const bytes = readBlob(source, buffer, position);
      position += bytes.length;
      if (bytes.length > 0) stream.write(bytes, () => next(buffer));
      else stream.end();
    } catch (error) {
      stream.destroy(error as Error);
    }
  };
  next(Buffer.allocUnsafe(READ_SIZE));
  next(Buffer.allocUnsafe(READ_SIZE));
}

/** What `stream` gives out, piece by piece as it made them: reading it in the usual way would copy them together. */
async function* piecesOf(stream: Gunzip): AsyncGenerator<Buffer, void> {
  const waiting: Buffer[] = [];
  const output: { isEnded: boolean; error?: Error; wake(): void } = { isEnded: false, wake: () => undefined };
  stream.on('data', (piece: Buffer) => {
    waiting.push(piece);
    if (waiting.length >= MAX_WAITING) stream.pause();
    output.wake();
  });
  stream.once('end', () => {
    output.isEnded = true;
    output.wake();
  });
  stream.on('error', (error) => {
    output.error = error;
    output.wake();
  });
  for (;;) {
    const piece = waiting.shift();
    if (piece !== undefined) {
      if (stream.isPaused()) stream.resume();
      yield piece;
    } else if (output.error !== undefined) {
      throw output.error;
    } else if (output.isEnded) {
      return;
    } else {
      await new Promise<void>((resolve) => {
        output.wake = resolve;
      });
    }
  }
}

/**
 * Node ends in silence at the first zero byte after a member, and `taken` says where. Zeros to the end are padding, as tapes have
 * it; anything else would be content that one reader sees and another does not.
 */
function checkRest(source: BlobSource, taken: number): void {
  const buffer = Buffer.allocUnsafe(READ_SIZE);
  for (let position = taken; position < source.size; position += buffer.length) {
    const bytes = readBlob(source, buffer, position);
    if (!bytes.equals(Buffer.alloc(bytes.length))) throw new Refusal('its gzip stream is followed by something else');
  }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
