/** A decoder of one stream, which may have several parts: frames of zstd, members of gzip. Not to be used again after an error. */
export interface StreamDecoder {
  /**
   * Decodes from the start of `input` into `output` until one of them is used up or a part ends, on a thread of libuv's pool; both
   * must stay as they are until then. Answers how many bytes it took and made, and whether it stands between two parts.
   * Rejects with an Error that has the library's text.
   */
  decode(input: Uint8Array, output: Uint8Array): Promise<DecodedStep>;
  /** Gives its memory back. */
  free(): void;
}

export interface DecodedStep {
  taken: number;
  made: number;
  isPartEnd: boolean;
}
