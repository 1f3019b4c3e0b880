import { Refusal } from './refusal.ts';
import { parseNumeric, parseOctal } from './tar-number.ts';

export const BLOCK_SIZE = 512;

/** The fields of one header block as they stand there. Text is latin1. Numbers may be negative. */
export interface TarHeader {
  /** With the prefix that the ustar and star formats keep apart. */
  name: string;
  typeFlag: string;
  linkName: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Seconds since 1970. */
  mtime: number;
  deviceMajor: number;
  deviceMinor: number;
  isGnu: boolean;
}

type HeaderFormat = 'v7' | 'ustar' | 'star' | 'gnu';

/**
 * Reads a header block, or throws a `Refusal`. What is accepted is what Go's reader accepts, because that is what other engines
 * see: https://github.com/golang/go/blob/go1.25.0/src/archive/tar/reader.go (readHeader), format.go (getFormat).
 */
export function parseHeader(block: Buffer): TarHeader {
  if (!hasValidChecksum(block)) throw new Refusal('its header has a wrong checksum, or is none');
  const format = formatOf(block);
  const name = text(block, 0, 100);
  const prefix = prefixOf(block, format);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    typeFlag: String.fromCharCode(block[156] ?? 0),
    linkName: text(block, 157, 100),
    mode: parseNumeric(block, 100, 8),
    uid: parseNumeric(block, 108, 8),
    gid: parseNumeric(block, 116, 8),
    size: parseNumeric(block, 124, 12),
    mtime: parseNumeric(block, 136, 12),
    deviceMajor: format === 'v7' ? 0 : parseNumeric(block, 329, 8),
    deviceMinor: format === 'v7' ? 0 : parseNumeric(block, 337, 8),
    isGnu: format === 'gnu',
  };
}

export function isZeroBlock(block: Buffer): boolean {
  for (let at = 0; at < BLOCK_SIZE; at += 1) if (block[at] !== 0) return false;
  return true;
}

const CHECKSUM_OFFSET = 148;
const CHECKSUM_LENGTH = 8;

/** POSIX adds up unsigned bytes, Sun's tar signed ones; both with spaces in place of the sum itself. */
export function hasValidChecksum(block: Buffer): boolean {
  try {
    const wanted = parseOctal(block, CHECKSUM_OFFSET, CHECKSUM_LENGTH);
    return (
      wanted === checksum(block) || wanted === checksum(new Int8Array(block.buffer, block.byteOffset, block.length))
    );
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** Four bytes at a time, which takes half as long as one by one. */
function checksum(bytes: Uint8Array | Int8Array): number {
  let sum = 0;
  for (let at = 0; at < BLOCK_SIZE; at += 4) {
    sum += (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) + (bytes[at + 2] ?? 0) + (bytes[at + 3] ?? 0);
  }
  for (let at = 0; at < CHECKSUM_LENGTH; at += 1) sum += 0x20 - (bytes[CHECKSUM_OFFSET + at] ?? 0);
  return sum;
}

function formatOf(block: Buffer): HeaderFormat {
  if (hasAt(block, 257, 'ustar\0')) return hasAt(block, 508, 'tar\0') ? 'star' : 'ustar';
  return hasAt(block, 257, 'ustar  \0') ? 'gnu' : 'v7';
}

function hasAt(block: Buffer, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (block[start + at] !== text.charCodeAt(at)) return false;
  return true;
}

function prefixOf(block: Buffer, format: HeaderFormat): string {
  if (format === 'ustar') return text(block, 345, 155);
  if (format === 'star') return text(block, 345, 131);
  return format === 'gnu' ? misplacedPrefix(block) : '';
}

/**
 * The GNU format has times where ustar has the prefix. Go before 1.8 wrote a prefix there all the same; archives by it are
 * in use, and are told by times that are no numbers: https://github.com/golang/go/issues/12594
 */
function misplacedPrefix(block: Buffer): string {
  if (block[345] === 0 && block[357] === 0) return '';
  try {
    for (const at of [345, 357]) if (block[at] !== 0) parseNumeric(block, at, 12);
    return '';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  const prefix = text(block, 345, 155);
  return /[\x80-\xff]/.test(prefix) ? '' : prefix;
}

/** Up to the first NUL, or all of the field. */
function text(block: Buffer, start: number, length: number): string {
  let end = start;
  while (end < start + length && block[end] !== 0) end += 1;
  return end === start ? '' : block.toString('latin1', start, end);
}
