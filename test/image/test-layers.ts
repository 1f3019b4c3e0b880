import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { TestLayer } from '../support/registry/index.ts';

/** A gzip layer: text is a file, null a folder. */
export async function tarLayer(entries: Record<string, string | null>): Promise<TestLayer> {
  const archive = pack();
  for (const [name, content] of Object.entries(entries)) {
    if (content === null) archive.entry({ name, type: 'directory', mode: 0o755 });
    else archive.entry({ name, mode: 0o644 }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return { bytes: gzipSync(Buffer.concat(chunks)) };
}
