import { SPARSE_MAP, type PaxRecords } from './pax-records.ts';
import { Refusal } from './refusal.ts';
import { BLOCK_SIZE } from './tar-header.ts';
import { parseNumeric } from './tar-number.ts';

/** A stretch of a sparse file that has content, in bytes; everything between such stretches is a hole. */
export interface SparseFragment {
  offset: number;
  length: number;
}

const ENTRY_SIZE = 24;

/** The entries of GNU's old format in `block` from `start` on, up to the first empty one. `capacity` is how many fit there. */
export function parseOldGnuFragments(block: Buffer, start: number, capacity: number): SparseFragment[] {
  const fragments: SparseFragment[] = [];
  for (let index = 0; index < capacity; index += 1) {
    const at = start + index * ENTRY_SIZE;
    if (block[at] === 0) break; // as GNU and BSD tar end the list
    fragments.push({ offset: parseNumeric(block, at, 12), length: parseNumeric(block, at + 12, 12) });
  }
  return fragments;
}

/** Where the old GNU format has its parts: in the header itself, and in each of the extension blocks after it. */
export const OLD_GNU_SPARSE = {
  header: { start: 386, capacity: 4, extended: 482, realSize: 483 },
  extension: { start: 0, capacity: 21, extended: 504 },
} as const;

/** Which of GNU's sparse formats in PAX the records speak of. Unknown versions are none, and the file is then a plain one, as in Go. */
export function sparseFormatOf(records: PaxRecords): '0.x' | '1.0' | undefined {
  const major = records.get('GNU.sparse.major') ?? '';
  const minor = records.get('GNU.sparse.minor') ?? '';
  if (major === '0' && (minor === '0' || minor === '1')) return '0.x';
  if (major === '1' && minor === '0') return '1.0';
  if (major !== '' || minor !== '') return undefined;
  return (records.get(SPARSE_MAP) ?? '') === '' ? undefined : '0.x';
}

/** The map that formats 0.0 and 0.1 have in the header: `GNU.sparse.map` is offset,length,offset,length… */
export function parsePaxSparseMap(records: PaxRecords): SparseFragment[] {
  const count = parseCount(records.get('GNU.sparse.numblocks') ?? '');
  const map = records.get(SPARSE_MAP) ?? '';
  const numbers = map === '' ? [] : map.split(',');
  if (numbers.length !== 2 * count) throw new Refusal('its sparse map has another length than its header says');
  return toFragments(numbers);
}

/**
 * Collects the map that format 1.0 has before the content: decimal lines, first how many fragments, then offset and length of each,
 * filled up to a whole block. `push` takes one block and answers the map when it is complete.
 */
export function collectSparseMap(): { push(block: Buffer): SparseFragment[] | undefined } {
  const blocks: Buffer[] = [];
  let lines = 0;
  let wanted = 1; // the first line says how many there are
  return {
    push(block) {
      if (blocks.length * BLOCK_SIZE >= MAX_SPARSE_MAP) throw new Refusal('its sparse map is larger than 1 MiB');
      blocks.push(Buffer.from(block));
      lines += countLines(block);
      if (wanted === 1 && lines > 0) {
        const start = Buffer.concat(blocks).toString('latin1');
        wanted += 2 * parseCount(start.slice(0, start.indexOf('\n')));
      }
      if (lines < wanted) return undefined;
      return toFragments(Buffer.concat(blocks).toString('latin1').split('\n').slice(1, wanted));
    },
  };
}

function countLines(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(0x0a); at !== -1; at = block.indexOf(0x0a, at + 1)) count += 1;
  return count;
}

/** How large a sparse map may be, in bytes: as large as any other header. */
const MAX_SPARSE_MAP = 1 << 20;
export const MAX_OLD_GNU_EXTENSIONS: number = MAX_SPARSE_MAP / BLOCK_SIZE;

/** Throws a `Refusal` unless the fragments are in order, apart, inside the file, and as long as the content that follows. */
export function checkFragments(fragments: readonly SparseFragment[], size: number, contentLength: number): void {
  let end = 0;
  let total = 0;
  for (const { offset, length } of fragments) {
    if (!isSize(offset) || !isSize(length) || offset < end || offset + length > size) {
      throw new Refusal('its sparse map is not in order, or reaches beyond the end of the file');
    }
    end = offset + length;
    total += length;
  }
  if (total !== contentLength) throw new Refusal('its sparse map speaks of another amount of content than there is');
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function parseCount(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new Refusal('its sparse map has no valid number of entries');
  return Number(text);
}

function toFragments(numbers: readonly string[]): SparseFragment[] {
  const fragments: SparseFragment[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    const [offset, length] = [numbers[at] ?? '', numbers[at + 1] ?? ''];
    if (!NUMBER.test(offset) || !NUMBER.test(length))
      throw new Refusal('its sparse map has something else than numbers');
    fragments.push({ offset: Number(offset), length: Number(length) });
  }
  return fragments;
}

const NUMBER = /^[0-9]{1,16}$/;
