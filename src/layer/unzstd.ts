import { Decompress } from 'fzstd';

import type { ZstdDecoder } from '../linux/libzstd.ts';
import { readBlob, READ_SIZE, type BlobSource } from './blob-source.ts';
import { Refusal } from './refusal.ts';
import { checkZstdFrames } from './zstd-frames.ts';

const CHUNK_SIZE = 1024 * 1024;

/**
 * The content of a zstd blob: of all its frames, with nothing after them. Throws a `Refusal`.
 * Node's own decoder (from 22.15 on) is not used: it ends in silence after the first frame.
 */
export function unzstd(source: BlobSource, decoder: ZstdDecoder | undefined): AsyncGenerator<Buffer, void> {
  return decoder === undefined ? unzstdInJavaScript(source) : unzstdNatively(source, decoder);
}

/** One step ahead: while the caller works on a piece, the next one is being decoded. */
async function* unzstdNatively(source: BlobSource, decoder: ZstdDecoder): AsyncGenerator<Buffer, void> {
  const steps = decodeSteps(source, decoder);
  let step = steps.next();
  try {
    for (;;) {
      const result = await step;
      if (result.done === true) return;
      step = steps.next();
      yield result.value;
    }
  } finally {
    await step.catch(() => undefined); // the decoder and its buffers must not go away while it works
  }
}

/** Two output buffers in turn, so that one can be read while the other is written. */
async function* decodeSteps(source: BlobSource, decoder: ZstdDecoder): AsyncGenerator<Buffer, void> {
  const input = Buffer.allocUnsafe(READ_SIZE);
  let [output, other] = [Buffer.allocUnsafe(CHUNK_SIZE), Buffer.allocUnsafe(CHUNK_SIZE)];
  let isFrameEnd = true;
  for (let position = 0; position < source.size; position += input.length) {
    let rest = readBlob(source, input, position);
    for (let isFull = false; rest.length > 0 || isFull;) {
      const step = await decode(decoder, rest, output);
      rest = rest.subarray(step.taken);
      isFrameEnd = step.isFrameEnd;
      isFull = step.made === output.length && !isFrameEnd; // then it may hold back more
      if (step.made === 0) continue;
      yield output.subarray(0, step.made);
      [output, other] = [other, output];
    }
  }
  if (!isFrameEnd) throw new Refusal('its zstd stream is cut off');
}

async function decode(decoder: ZstdDecoder, input: Buffer, output: Buffer): ReturnType<ZstdDecoder['decode']> {
  try {
    return await decoder.decode(input, output);
  } catch (error) {
    throw damaged(error);
  }
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
      throw damaged(error);
    }
    for (const bytes of made.splice(0)) yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

/** A run-length block makes 128 KiB of four bytes, so that this makes at most 128 MiB at once. */
const JAVASCRIPT_READ_SIZE = 4096;

function damaged(error: unknown): Refusal {
  return new Refusal(`its zstd stream is damaged: ${(error as Error).message}`, { cause: error });
}
