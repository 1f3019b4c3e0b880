import type { FileTime } from '../linux/libc-files.ts';
import { Refusal } from './refusal.ts';

/** The records of one PAX header. Keys and values are bytes, one character each. */
export type PaxRecords = ReadonlyMap<string, string>;

const TEXT_KEYS = new Set(['path', 'linkpath', 'uname', 'gname', 'GNU.sparse.name']);
const SPARSE_OFFSET = 'GNU.sparse.offset';
const SPARSE_LENGTH = 'GNU.sparse.numbytes';
export const SPARSE_MAP = 'GNU.sparse.map';

/**
 * Parses `<length> <key>=<value>\n` records; the last of equal keys wins. Throws a `Refusal` for anything malformed.
 * The repeated keys of GNU's sparse format 0.0 are joined to the one of format 0.1, as Go does.
 */
export function parsePaxRecords(bytes: Buffer): PaxRecords {
  const records = new Map<string, string>(); // not an object: the keys come from outside
  const sparse: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { key, value, next } = parseRecord(bytes, at);
    at = next;
    if (key !== SPARSE_OFFSET && key !== SPARSE_LENGTH) records.set(key, value);
    else if (key === (sparse.length % 2 === 0 ? SPARSE_OFFSET : SPARSE_LENGTH) && !value.includes(','))
      sparse.push(value);
    else throw new Refusal('its PAX header has sparse records in the wrong order');
  }
  if (sparse.length > 0) records.set(SPARSE_MAP, sparse.join(','));
  return records;
}

const MAX_LENGTH_DIGITS = 8; // a header has at most 1 MiB
const SHORTEST_RECORD = 5; // '5 k=\n'

function parseRecord(bytes: Buffer, start: number): { key: string; value: string; next: number } {
  const space = bytes.indexOf(0x20, start);
  const digits = space === -1 || space - start > MAX_LENGTH_DIGITS ? '' : bytes.toString('latin1', start, space);
  const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
  const end = start + length;
  if (length < SHORTEST_RECORD || end > bytes.length || space + 1 > end - 1 || bytes[end - 1] !== 0x0a) {
    throw new Refusal('its PAX header has a record of a wrong length');
  }
  const record = bytes.toString('latin1', space + 1, end - 1);
  const equals = record.indexOf('=');
  if (equals === -1) throw new Refusal('its PAX header has a record without "="');
  const key = record.slice(0, equals);
  const value = record.slice(equals + 1);
  if (key.includes('\0')) throw new Refusal('its PAX header has a key with a NUL byte');
  if (TEXT_KEYS.has(key) && value.includes('\0')) throw new Refusal(`its PAX "${key}" has a NUL byte`);
  return { key, value, next: end };
}

/** A whole number as PAX has it for `size`, `uid` and `gid`. Throws a `Refusal` for anything but 1 to 16 decimal digits. */
export function parsePaxInteger(value: string, key: string): number {
  if (!/^[0-9]{1,16}$/.test(value)) throw new Refusal(`its PAX "${key}" is not a whole number`);
  return Number(value);
}

/**
 * A PAX time such as `1700000000.123456789` or `-1.5`: digits beyond nanoseconds are cut.
 * `nanoseconds` counts up from `seconds`, so that -1.5 is { seconds: -2, nanoseconds: 500000000 }.
 */
export function parsePaxTime(value: string, key: string): FileTime {
  const match = /^(-?)([0-9]{1,19})(?:\.([0-9]*))?$/.exec(value);
  if (match === null || BigInt(match[2] ?? '') >= 2n ** 63n) throw new Refusal(`its PAX "${key}" is not a time`);
  const [, sign, whole = '', fraction = ''] = match;
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}
