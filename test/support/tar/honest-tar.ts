import { buffer } from 'node:stream/consumers';

import { pack, type Header } from 'tar-stream';

export type HonestEntry = Partial<Header> & { name: string; content?: string | Buffer };

/**
 * An archive as an ordinary program writes it: with tar-stream's writer. It keeps ids up to 262143 and times from 1970 to 2038; what
 * is beyond has to go into `pax`.
 */
export async function honestTar(entries: readonly HonestEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { content, ...header } of entries) {
    const complete = { mtime: new Date(1_700_000_000_000), ...header };
    if (content === undefined) archive.entry(complete);
    else archive.entry(complete, content);
  }
  archive.finalize();
  return buffer(archive);
}
