import { Refusal } from './refusal.ts';
import { BLOCK_SIZE, hasValidChecksum } from './tar-header.ts';

export type Compression = 'gzip' | 'zstd' | 'none';

const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_SKIPPABLE_MAGIC = 0x184d2a50; // and the 15 after it: estargz-like tools put their index into such frames

/** First bytes in hexadecimal. */
const UNSUPPORTED = [
  ['xz', 'fd377a585a00'],
  ['bzip2', '425a68'],
  ['lz4', '04224d18'],
  ['lzip', '4c5a4950'],
  ['lzma', '5d0000'],
  ['compress', '1f9d'],
] as const;

/**
 * How a layer is compressed, by its first bytes and not by its media type, as in Docker and containerd; `head` should have a
 * tar block's length if the layer has. Throws a `Refusal` (ERR_UNSUPPORTED) for what is known and not supported.
 */
export function detectCompression(head: Buffer): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (isZstd(head)) return 'zstd';
  // A tar may begin with any bytes, for they are a name; its checksum tells.
  if (head.length >= BLOCK_SIZE && hasValidChecksum(head)) return 'none';
  const known = UNSUPPORTED.find(([, magic]) => head.toString('hex', 0, magic.length / 2) === magic);
  if (known === undefined) return 'none';
  throw new Refusal(`its compression, ${known[0]}, is not supported: gzip, zstd and none are`, {
    code: 'ERR_UNSUPPORTED',
  });
}

export function isZstd(head: Buffer): boolean {
  if (head.length < 4) return false;
  const magic = head.readUInt32LE();
  return magic === ZSTD_MAGIC || (magic & ~0xf) >>> 0 === ZSTD_SKIPPABLE_MAGIC;
}
