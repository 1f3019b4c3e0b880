import type { TarSink } from '../../../src/layer/read-archive.ts';
import type { TarEntry } from '../../../src/layer/tar-entry.ts';
import { createTarReader } from '../../../src/layer/tar-reader.ts';

/** An entry with what its content would be in a file: holes are NULs. */
export interface ReadEntry extends TarEntry {
  content: string;
}

/** Reads an archive that arrives in pieces of `pieceSize` bytes. Throws what the reader throws. */
export function readTar(archive: Buffer, pieceSize: number = archive.length): ReadEntry[] {
  const entries: ReadEntry[] = [];
  let content = Buffer.alloc(0);
  const sink: TarSink = {
    entry(entry) {
      entries.push({ ...entry, content: '' });
      content = Buffer.alloc(entry.size);
    },
    data(bytes, position) {
      bytes.copy(content, position);
    },
    end() {
      entries.at(-1)!.content = content.toString('latin1');
    },
  };
  const reader = createTarReader(sink);
  for (let at = 0; at < archive.length; at += pieceSize) {
    // A copy that is overwritten afterwards: the reader must not keep what it is given.
    const piece = Buffer.from(archive.subarray(at, at + pieceSize));
    reader.write(piece);
    piece.fill(0xee);
  }
  reader.finish();
  return entries;
}
