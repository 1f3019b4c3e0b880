import { loadKoffi, type NativeFunction } from './load-koffi.ts';
import type { StreamDecoder } from './stream-decoder.ts';

/**
 * A decoder of the system's libzstd, or undefined where there is none. Load it before a chroot.
 * A frame that wants a window beyond 128 MiB is an error: that is libzstd's own limit.
 */
export function createZstdDecoder(): StreamDecoder | undefined {
  const library = loadLibzstd();
  if (library === undefined) return undefined;
  const { create, decompress, isError, errorName, free } = library;
  const context = create();
  // The function with plain arguments is there for bindings: no structs with pointers in them.
  const taken = Buffer.alloc(8);
  const made = Buffer.alloc(8);
  return {
    decode: async (input, output) =>
      new Promise((resolve, reject) => {
        taken.fill(0);
        made.fill(0);
        const done = (error: Error | null, result: unknown): void => {
          if (error !== null) reject(error);
          else if (Number(isError(result)) !== 0) reject(new Error(String(errorName(result))));
          else resolve({ taken: readSize(taken), made: readSize(made), isPartEnd: Number(result) === 0 });
        };
        decompress.async(context, output, output.length, made, input, input.length, taken, done);
      }),
    free: () => void free(context),
  };
}

interface Libzstd {
  create: NativeFunction;
  decompress: NativeFunction;
  isError: NativeFunction;
  errorName: NativeFunction;
  free: NativeFunction;
}

function loadLibzstd(): Libzstd | undefined {
  try {
    const library = loadKoffi().load('libzstd.so.1');
    const parameters = ['void *', 'void *', 'size_t', 'void *', 'void *', 'size_t', 'void *'];
    return {
      create: library.func('ZSTD_createDCtx', 'void *', []),
      decompress: library.func('ZSTD_decompressStream_simpleArgs', 'size_t', parameters),
      isError: library.func('ZSTD_isError', 'uint', ['size_t']),
      errorName: library.func('ZSTD_getErrorName', 'str', ['size_t']),
      free: library.func('ZSTD_freeDCtx', 'size_t', ['void *']),
    };
  } catch {
    return undefined; // no koffi, no libzstd, or one without these functions: there is another decoder
  }
}

function readSize(bytes: Buffer): number {
  return Number(bytes.readBigUInt64LE());
}
