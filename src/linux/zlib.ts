import { ToolError } from '../errors.ts';
import { loadKoffi, type Koffi, type NativeFunction } from './load-koffi.ts';
import type { StreamDecoder } from './stream-decoder.ts';

// struct z_stream of zlib.h, on a machine whose pointers and longs have 64 bits: offsets and size in bytes.
const STREAM_SIZE = 112;
const NEXT_IN = 0;
const AVAIL_IN = 8;
const NEXT_OUT = 24;
const AVAIL_OUT = 32;
const MESSAGE = 48;

const GZIP = 15 + 16; // the largest window, and a gzip header and trailer around it
const NO_FLUSH = 0;
const OK = 0;
const STREAM_END = 1;
const BUFFER_ERROR = -5; // nothing to take, or no room: it can go on
const MAX_MESSAGE = 64; // characters

/**
 * A decoder of gzip, by the zlib that Node itself runs on and offers to native code
 * (https://nodejs.org/api/addons.html#linking-to-libraries-included-with-nodejs), without the streams of `node:zlib`: a third less
 * work per byte, and the buffers are the caller's. Load it before a chroot. Throws ERR_HOST where there is no such library.
 */
export function createGzipDecoder(): StreamDecoder {
  const { koffi, begin, inflate, again, end, version } = loadZlib();
  const stream = Buffer.alloc(STREAM_SIZE);
  if (begin(stream, GZIP, version(), STREAM_SIZE) !== OK) throw missing(undefined);
  let isPartEnd = true;
  const prepare = (input: Uint8Array, output: Uint8Array): void => {
    if (isPartEnd) again(stream);
    stream.writeBigUInt64LE(koffi.address(input), NEXT_IN);
    stream.writeUInt32LE(input.length, AVAIL_IN);
    stream.writeBigUInt64LE(koffi.address(output), NEXT_OUT);
    stream.writeUInt32LE(output.length, AVAIL_OUT);
  };
  return {
    decode: async (input, output) =>
      new Promise((resolve, reject) => {
        prepare(input, output);
        inflate.async(stream, NO_FLUSH, (error: Error | null, result: unknown) => {
          isPartEnd = result === STREAM_END;
          const reason = error ?? reasonOf(koffi, stream, result);
          const [inputLeft, outputLeft] = [stream.readUInt32LE(AVAIL_IN), stream.readUInt32LE(AVAIL_OUT)];
          if (reason !== undefined) reject(reason);
          else resolve({ taken: input.length - inputLeft, made: output.length - outputLeft, isPartEnd });
        });
      }),
    free: () => void end(stream),
  };
}

/** Undefined where it can go on. */
function reasonOf(koffi: Koffi, stream: Buffer, result: unknown): Error | undefined {
  if (result === OK || result === STREAM_END || result === BUFFER_ERROR) return undefined;
  const message = stream.readBigUInt64LE(MESSAGE);
  return new Error(message === 0n ? `zlib answers ${String(result)}` : koffi.decode(message, 'char', MAX_MESSAGE));
}

interface Zlib {
  koffi: Koffi;
  begin: NativeFunction;
  inflate: NativeFunction;
  again: NativeFunction;
  end: NativeFunction;
  version: NativeFunction;
}

function loadZlib(): Zlib {
  const koffi = loadKoffi();
  try {
    const library = koffi.load(null);
    return {
      koffi,
      begin: library.func('inflateInit2_', 'int', ['void *', 'int', 'str', 'int']),
      inflate: library.func('inflate', 'int', ['void *', 'int']),
      again: library.func('inflateReset', 'int', ['void *']),
      end: library.func('inflateEnd', 'int', ['void *']),
      version: library.func('zlibVersion', 'str', []),
    };
  } catch (error) {
    throw missing(error);
  }
}

function missing(cause: unknown): ToolError {
  return new ToolError('ERR_HOST', 'Cannot inflate gzip: this Node does not offer the functions of zlib', {
    hint: 'Use a Node from nodejs.org or of your distribution.',
    cause,
  });
}
