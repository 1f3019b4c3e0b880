import type { FileTime } from '../linux/libc-files.ts';
import { printable } from '../printable.ts';
import { parsePaxInteger, parsePaxTime, type PaxRecords } from './pax-records.ts';
import { Refusal } from './refusal.ts';
import { sparseFormatOf } from './sparse-map.ts';
import type { EntryType } from './tar-entry.ts';
import type { TarHeader } from './tar-header.ts';

/** What the extension headers before an entry's own say. */
export interface Extensions {
  pax?: PaxRecords;
  /** Of GNU's `L` and `K` headers. */
  longName?: string;
  longLink?: string;
}

/** A header with its extensions applied. */
export interface MergedHeader {
  name: string;
  type: EntryType;
  linkName: string;
  mode: number;
  uid: number;
  gid: number;
  /** Bytes in the archive, if the type has content. */
  size: number;
  mtime: FileTime;
  deviceMajor: number;
  deviceMinor: number;
  xattrs: ReadonlyMap<string, string> | undefined;
  pax: PaxRecords;
  sparseFormat: 'old' | '0.x' | '1.0' | undefined;
  /** Bytes of the file with its holes, where PAX says so. */
  sparseSize: number | undefined;
}

const TYPES: ReadonlyMap<string, EntryType> = new Map<string, EntryType>([
  ['0', 'file'],
  ['7', 'file'], // contiguous
  ['S', 'file'], // GNU's old sparse format
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'character'],
  ['4', 'block'],
  ['5', 'folder'],
  ['6', 'fifo'],
]);

const NO_RECORDS: PaxRecords = new Map<string, string>([]);

/** Applies `extensions` to the header that they stand before. Throws a `Refusal`. */
export function mergeHeaders(header: TarHeader, extensions: Extensions): MergedHeader {
  const pax = extensions.pax ?? NO_RECORDS;
  const sparseFormat = header.typeFlag === 'S' ? 'old' : sparseFormatOf(pax);
  const ownName = override(header.name, { pax: pax.get('path'), gnu: extensions.longName, what: 'name' });
  const name = (sparseFormat === undefined ? '' : (pax.get('GNU.sparse.name') ?? '')) || ownName;
  checkUnusedTimes(pax);
  return {
    name,
    type: typeOf(header, name),
    linkName: override(header.linkName, { pax: pax.get('linkpath'), gnu: extensions.longLink, what: 'link target' }),
    mode: header.mode,
    uid: paxInteger(pax, 'uid') ?? header.uid,
    gid: paxInteger(pax, 'gid') ?? header.gid,
    size: paxInteger(pax, 'size') ?? header.size,
    mtime: paxTime(pax, 'mtime') ?? { seconds: header.mtime, nanoseconds: 0 },
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    xattrs: xattrsOf(pax),
    pax,
    sparseFormat,
    sparseSize: paxInteger(pax, 'GNU.sparse.size') ?? paxInteger(pax, 'GNU.sparse.realsize'),
  };
}

function typeOf(header: TarHeader, name: string): EntryType {
  const { typeFlag } = header;
  if (typeFlag === '\0') return name.endsWith('/') ? 'folder' : 'file'; // how v7 wrote folders
  if (typeFlag === 'S' && !header.isGnu) throw new Refusal('it is sparse in a format other than that of GNU');
  const type = TYPES.get(typeFlag);
  if (type === undefined) throw new Refusal(`its type "${printable(typeFlag)}" is not supported`);
  return type;
}

/** What `pax` and `gnu` say in place of `own`; empty is nothing. Readers differ in which of the two wins, so both must say the same. */
function override(own: string, other: { pax: string | undefined; gnu: string | undefined; what: string }): string {
  const { pax = '', gnu = '', what } = other;
  if (pax !== '' && gnu !== '' && pax !== gnu) throw new Refusal(`its PAX and GNU headers give it a different ${what}`);
  return gnu || pax || own;
}

/** An empty value means that the header's own counts, as in Go. */
function paxInteger(pax: PaxRecords, key: string): number | undefined {
  const value = pax.get(key) ?? '';
  return value === '' ? undefined : parsePaxInteger(value, key);
}

function paxTime(pax: PaxRecords, key: string): FileTime | undefined {
  const value = pax.get(key) ?? '';
  return value === '' ? undefined : parsePaxTime(value, key);
}

/** Nobody needs these times, but a header in which they are malformed is refused by other engines. */
function checkUnusedTimes(pax: PaxRecords): void {
  paxTime(pax, 'atime');
  paxTime(pax, 'ctime');
}

const XATTR_PREFIX = 'SCHILY.xattr.';

/** Go drops an attribute with an empty value, so layers cannot have one. */
function xattrsOf(pax: PaxRecords): Map<string, string> | undefined {
  let xattrs: Map<string, string> | undefined;
  for (const [key, value] of pax) {
    if (value === '' || !key.startsWith(XATTR_PREFIX)) continue;
    xattrs ??= new Map<string, string>();
    xattrs.set(key.slice(XATTR_PREFIX.length), value);
  }
  return xattrs;
}
