import { createHash } from 'node:crypto';

import type { Digest } from '../../../src/oci/digest.ts';

/** Content that is not held in memory: made from `offset` on whenever it is asked for. */
export interface LazyContent {
  digest: Digest;
  size: number;
  read(offset: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export type Content = Uint8Array | LazyContent;

export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** `size` bytes in which each 4-byte word is its own position: any range can be made, and no two places are alike. */
export function madeContent(size: number): LazyContent {
  const hash = createHash('sha256');
  for (const chunk of makeFrom(0, size)) hash.update(chunk);
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size, read: (offset) => makeFrom(offset, size) };
}

export function contentSize(content: Content): number {
  return content instanceof Uint8Array ? content.byteLength : content.size;
}

export function contentDigest(content: Content): Digest {
  return content instanceof Uint8Array ? sha256(content) : content.digest;
}

export function readContent(content: Content, offset: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return content instanceof Uint8Array ? [content.subarray(offset)] : content.read(offset);
}

const CHUNK = 256 * 1024; // bytes

function* makeFrom(offset: number, size: number): Generator<Uint8Array> {
  for (let at = offset; at < size; at += CHUNK) {
    const first = Math.floor(at / 4);
    const words = new Uint32Array(CHUNK / 4 + 1).map((_, index) => first + index);
    const bytes = new Uint8Array(words.buffer);
    yield bytes.subarray(at % 4, (at % 4) + Math.min(CHUNK, size - at));
  }
}
