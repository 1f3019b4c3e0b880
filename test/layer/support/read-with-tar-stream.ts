import { setImmediate as nextTurn } from 'node:timers/promises';

import { extract, type Header } from 'tar-stream';

export interface SeenEntry {
  name: string;
  linkName: string;
  type: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Since 1970. */
  seconds: number;
  /** `major:minor`, empty for what is none. */
  device: string;
  content: string;
  /** By their names. */
  xattrs: Record<string, string>;
}

/** Turns of the event loop without any event in which everything that is in memory has long been read. */
const PATIENCE = 200;

/** What tar-stream makes of an archive: its entries, `error: …`, or that it waits for ever. Text is UTF-8. */
export async function readWithTarStream(bytes: Buffer): Promise<SeenEntry[] | string> {
  const entries: SeenEntry[] = [];
  const state: { result?: SeenEntry[] | string; idle: number } = { idle: 0 };
  const reader = extract();
  reader.on('entry', (header, content, next) => {
    const pieces: Buffer[] = [];
    content.on('data', (piece) => {
      state.idle = 0;
      pieces.push(piece as Buffer);
    });
    content.on('end', () => {
      state.idle = 0;
      entries.push({ ...seen(header), content: Buffer.concat(pieces).toString() });
      next();
    });
  });
  reader.on('error', (error: Error) => (state.result ??= `error: ${error.message}`));
  reader.on('finish', () => (state.result ??= entries));
  reader.end(bytes);
  while (state.result === undefined && state.idle < PATIENCE) {
    state.idle += 1;
    await nextTurn();
  }
  return state.result ?? `waits for ever after ${entries.length} entries`;
}

function seen(header: Header): Omit<SeenEntry, 'content'> {
  const { name, mode, uid, gid, size, mtime, devmajor, devminor } = header;
  // Its types leave out that both may be null.
  const { type, linkname } = header as { type: string | null; linkname: string | null };
  return {
    name,
    linkName: linkname ?? '',
    type: type === 'contiguous-file' ? 'file' : String(type),
    mode,
    uid,
    gid,
    size,
    seconds: Number(mtime) / 1000,
    device: type?.endsWith('device') === true ? `${devmajor}:${devminor}` : '',
    xattrs: xattrsOf(header.pax),
  };
}

const PREFIX = 'SCHILY.xattr.';

function xattrsOf(records: unknown): Record<string, string> {
  const xattrs = Object.entries((records ?? {}) as Record<string, string>).filter(([key]) => key.startsWith(PREFIX));
  return Object.fromEntries(xattrs.map(([key, value]) => [key.slice(PREFIX.length), value]));
}
