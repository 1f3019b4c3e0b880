import { gzipSync } from 'node:zlib';

/** How an archive is put into a blob. */
export type Framing = 'plain' | 'gzip' | 'gzip in two members' | { zstdBlock: number };

/** The blob of an archive; by zstd as blocks of so many bytes that are not compressed, which is how many come out at once. */
export function frame(archive: Buffer, framing: Framing): Buffer {
  if (framing === 'plain') return archive;
  if (framing === 'gzip') return gzipSync(archive, { level: 1 });
  if (framing === 'gzip in two members') {
    const middle = archive.length >> 1;
    return Buffer.concat([gzipSync(archive.subarray(0, middle)), gzipSync(archive.subarray(middle))]);
  }
  return zstdOfRawBlocks(archive, framing.zstdBlock);
}

/** https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1: a header with a window of 128 KiB and no content size, then raw blocks. */
function zstdOfRawBlocks(archive: Buffer, size: number): Buffer {
  const parts: Buffer[] = [Buffer.from('28b52ffd0038', 'hex')];
  for (let at = 0; at < archive.length || at === 0; at += size) {
    const block = archive.subarray(at, at + size);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at + size >= archive.length ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}
