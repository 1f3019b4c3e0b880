import fs from 'node:fs';

import { asObject, field } from '../oci/fields.ts';
import { formatReference, parseReference } from '../oci/reference.ts';

/**
 * What a partial download is of. It stands beside the download, so that people can be told; nothing else relies on it, and it
 * may be missing, cut or wrong. Written after the download has its file, removed before that goes: a crash leaves a download
 * that nobody knows the name of, and no name without a download.
 */
export interface IngestInfo {
  /** The image that was pulled last with it, canonical: `docker.io/library/alpine:latest`. */
  reference: string;
  /** Of the whole blob, in bytes. */
  size: number;
}

const ENDING = '.info';
const MAX_BYTES = 4096; // a reference has at most 600 characters

/** The download that a file in `ingest/` tells of, or undefined if it is no such file. */
export function downloadOfInfo(path: string): string | undefined {
  return path.endsWith(ENDING) ? path.slice(0, -ENDING.length) : undefined;
}

/** Not made durable, and not at all on a disk that is full: it is only told to people. */
export function writeIngestInfo(download: string, { reference, size }: IngestInfo): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = fs.constants;
  try {
    const fd = fs.openSync(`${download}${ENDING}`, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      fs.writeFileSync(fd, `${JSON.stringify({ reference, size })}\n`);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // The download is worth more than its name.
  }
}

/** Undefined for anything but what `writeIngestInfo` writes. */
export function readIngestInfo(download: string): IngestInfo | undefined {
  try {
    return parseInfo(readSmallFile(`${download}${ENDING}`));
  } catch {
    return undefined;
  }
}

export function removeIngestInfo(download: string): void {
  try {
    fs.unlinkSync(`${download}${ENDING}`);
  } catch {
    // Garbage collection finds it, once the download is gone.
  }
}

function parseInfo(text: string): IngestInfo | undefined {
  const info = asObject(JSON.parse(text), 'info');
  const [reference, size] = [field(info, 'reference'), field(info, 'size')];
  if (typeof reference !== 'string' || typeof size !== 'number') return undefined;
  if (!Number.isSafeInteger(size) || size < 0) return undefined;
  return formatReference(parseReference(reference)) === reference ? { reference, size } : undefined;
}

/** Neither a link nor a pipe is read. */
function readSmallFile(path: string): string {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (fs.fstatSync(fd).size > MAX_BYTES) return '';
    return fs.readFileSync(fd, 'utf8');
  } finally {
    fs.closeSync(fd);
  }
}
