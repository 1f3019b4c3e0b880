import type { DecodedStep, StreamDecoder } from '../linux/stream-decoder.ts';
import { readBlob, READ_SIZE, type BlobSource } from './blob-source.ts';
import { Refusal } from './refusal.ts';

export interface Decoding {
  source: BlobSource;
  decoder: StreamDecoder;
  /** For messages: 'gzip'. */
  format: string;
  /** Asked before each part, with what begins at a position of the blob: true when that is no part, and the content ends there. */
  isEnd?: (rest: Buffer, position: number) => boolean;
}

/** Bytes of one piece. What is small is still in a core's cache when it is hashed and written; what is large has fewer hand-overs. */
const PIECE_SIZE = 1024 * 1024;

/** The content of a compressed blob. One step ahead: while the caller works on a piece, the next one is being decoded. Throws a `Refusal`. */
export async function* decodeBlob(decoding: Decoding): AsyncGenerator<Buffer, void> {
  const steps = decodeSteps(decoding);
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
async function* decodeSteps({ source, decoder, format, isEnd }: Decoding): AsyncGenerator<Buffer, void> {
  const input = Buffer.allocUnsafeSlow(READ_SIZE);
  let [output, other] = [Buffer.allocUnsafeSlow(PIECE_SIZE), Buffer.allocUnsafeSlow(PIECE_SIZE)];
  let isPartEnd = true;
  for (let position = 0; position < source.size; position += input.length) {
    const bytes = readBlob(source, input, position);
    let rest = bytes;
    for (let isFull = false; rest.length > 0 || isFull;) {
      if (isPartEnd && isEnd?.(rest, position + bytes.length - rest.length) === true) return;
      const step = await decode({ decoder, format }, rest, output);
      rest = rest.subarray(step.taken);
      isPartEnd = step.isPartEnd;
      isFull = step.made === output.length && !isPartEnd; // then it may hold back more
      if (step.made === 0) continue;
      yield output.subarray(0, step.made);
      [output, other] = [other, output];
    }
  }
  if (!isPartEnd) throw new Refusal(`its ${format} stream is damaged: unexpected end`);
}

async function decode(
  { decoder, format }: Pick<Decoding, 'decoder' | 'format'>,
  input: Buffer,
  output: Buffer,
): Promise<DecodedStep> {
  try {
    return await decoder.decode(input, output);
  } catch (error) {
    throw damaged(format, error);
  }
}

export function damaged(format: string, error: unknown): Refusal {
  return new Refusal(`its ${format} stream is damaged: ${(error as Error).message}`, { cause: error });
}
