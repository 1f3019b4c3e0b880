import { parsePaxRecords } from './pax-records.ts';
import { Refusal } from './refusal.ts';
import {
  checkFragments,
  collectSparseMap,
  MAX_OLD_GNU_EXTENSIONS,
  OLD_GNU_SPARSE,
  parseOldGnuFragments,
  parsePaxSparseMap,
  type SparseFragment,
} from './sparse-map.ts';
import type { TarEntry } from './tar-entry.ts';
import { BLOCK_SIZE, isZeroBlock, parseHeader, type TarHeader } from './tar-header.ts';
import { mergeHeaders, type Extensions, type MergedHeader } from './merge-headers.ts';
import { parseNumeric } from './tar-number.ts';

/** Receives what the reader finds: for each entry `entry`, then `data` as often as there is content, then `end`. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** Part of the content, which belongs at `position` of the file. The bytes are the reader's again when this returns. */
  data(bytes: Buffer, position: number): void;
  end(): void;
}

/** Where the reader is. */
export interface TarProgress {
  /** Entries that have begun, the current one included. */
  entries: number;
  /** Between the first header of an entry and the end of its content. */
  isInEntry: boolean;
  /** Name of the current entry as far as it is known, latin1. */
  entryName: string | undefined;
}

/** What the parser asks for. It is answered with the bytes, or with undefined for a block if the archive has ended before it. */
export type Need =
  | { kind: 'block' }
  | { kind: 'bytes'; length: number }
  /** Goes to the sink, the first byte of it to `position`. */
  | { kind: 'content'; length: number; position: number }
  /** Is thrown away, and may be missing at the end of the archive. */
  | { kind: 'padding'; length: number };

type Parser<T> = Generator<Need, T, Buffer | undefined>;

const BLOCK: Need = { kind: 'block' };
const MAX_EXTENSION_SIZE = 1 << 20; // bytes, as in Go and libarchive
const MAX_EXTENSIONS = 16; // before one entry

/**
 * Reads an archive in v7, ustar, PAX, GNU or star format up to its end marker. What is accepted and what it means follows Go's
 * archive/tar, which decides what other engines see: https://github.com/golang/go/blob/go1.25.0/src/archive/tar/reader.go.
 * Where two readings are possible it refuses. Throws a `Refusal`.
 */
export function* readArchive(sink: TarSink, progress: TarProgress): Parser<void> {
  for (;;) {
    const next = yield* readHeaders(progress);
    if (next === undefined) return;
    const { header } = next;
    const content = yield* locateContent(next);
    sink.entry(toEntry(header, content, progress.entries - 1));
    if (content.fragments === undefined) yield { kind: 'content', length: content.length, position: 0 };
    for (const { offset, length } of content.fragments ?? []) yield { kind: 'content', length, position: offset };
    sink.end();
    progress.isInEntry = false;
    progress.entryName = undefined;
    yield { kind: 'padding', length: content.padding };
  }
}

interface HeaderBlocks {
  header: MergedHeader;
  /** The raw header, for GNU's old sparse format. Valid until the next block is asked for. */
  block: Buffer;
}

/** The next entry's header with all that its extension headers say; undefined at the end of the archive. */
function* readHeaders(progress: TarProgress): Parser<HeaderBlocks | undefined> {
  let extensions: Extensions = {};
  for (let count = 0; ; count += 1) {
    const block = yield BLOCK;
    if (block === undefined || isZeroBlock(block)) {
      if (Object.keys(extensions).length > 0) throw new Refusal('the archive ends where it should follow');
      endOfEntries(progress);
      if (block !== undefined) yield* readEndMarker();
      return undefined;
    }
    if (!progress.isInEntry) progress.entries += 1;
    progress.isInEntry = true;
    const header = parseHeader(block);
    progress.entryName = header.name;
    if (!isExtension(header.typeFlag)) {
      const merged = mergeHeaders(header, extensions);
      progress.entryName = merged.name;
      return { header: merged, block };
    }
    if (count === MAX_EXTENSIONS) throw new Refusal(`it has more than ${MAX_EXTENSIONS} extension headers`);
    extensions = yield* readExtension(header, extensions);
  }
}

/** A global header may have looked like the beginning of one more entry. */
function endOfEntries(progress: TarProgress): void {
  if (progress.isInEntry) progress.entries -= 1;
  progress.isInEntry = false;
  progress.entryName = undefined;
}

/** The second of two zero blocks. It may be missing at the end of the archive. */
function* readEndMarker(): Parser<void> {
  const block = yield BLOCK;
  if (block !== undefined && !isZeroBlock(block)) throw new Refusal('a block of zeros is followed by something else');
}

function isExtension(typeFlag: string): boolean {
  return typeFlag === 'x' || typeFlag === 'g' || typeFlag === 'L' || typeFlag === 'K';
}

function* readExtension(header: TarHeader, before: Extensions): Parser<Extensions> {
  const { size, typeFlag } = header;
  if (size < 0 || size > MAX_EXTENSION_SIZE) throw new Refusal('it has an extension header larger than 1 MiB');
  const bytes = (yield { kind: 'bytes', length: size }) ?? Buffer.alloc(0);
  yield { kind: 'padding', length: paddingOf(size) };
  if (typeFlag === 'L') return { ...before, longName: untilNul(bytes) };
  if (typeFlag === 'K') return { ...before, longLink: untilNul(bytes) };
  const records = parsePaxRecords(bytes);
  if (typeFlag === 'x') return { ...before, pax: records }; // a second one replaces the first, as in Go
  // A global header means nothing to other engines. Between an extension and its entry Go forgets the extension, others do not.
  if (Object.keys(before).length > 0)
    throw new Refusal('a global header stands between an extension header and its entry');
  return before;
}

interface Content {
  /** Bytes of it in the archive. */
  length: number;
  padding: number;
  /** Bytes of the file, holes included. */
  size: number;
  fragments: readonly SparseFragment[] | undefined;
}

/** Finds out where the content belongs; reads the map of a sparse file, if that is not in the headers. */
function* locateContent({ header, block }: HeaderBlocks): Parser<Content> {
  const length = header.type === 'file' ? header.size : 0; // the others have no content, whatever their size says
  if (!Number.isSafeInteger(length) || length < 0) throw new Refusal('its size is negative or too large');
  const padding = paddingOf(length);
  const { sparseFormat: format } = header;
  if (format === undefined) return { length, padding, size: length, fragments: undefined };
  if (header.type !== 'file') throw new Refusal('it is sparse, but not a file');
  if (format === 'old') {
    const size = parseNumeric(block, OLD_GNU_SPARSE.header.realSize, 12);
    return sparseContent({ length, padding, size, fragments: yield* readOldGnuMap(block) });
  }
  const size = header.sparseSize ?? length;
  if (format === '0.x') return sparseContent({ length, padding, size, fragments: parsePaxSparseMap(header.pax) });
  const { fragments, mapLength } = yield* readSparseMap(length);
  return sparseContent({ length: length - mapLength, padding, size, fragments });
}

function sparseContent(content: Content & { fragments: SparseFragment[] }): Content {
  const { size } = content;
  if (!Number.isSafeInteger(size) || size < 0) throw new Refusal('its size is negative or too large');
  checkFragments(content.fragments, size, content.length);
  return content;
}

function* readOldGnuMap(header: Buffer): Parser<SparseFragment[]> {
  const { start, capacity, extended } = OLD_GNU_SPARSE.header;
  const fragments = parseOldGnuFragments(header, start, capacity);
  const { extension } = OLD_GNU_SPARSE;
  let isExtended = (header[extended] ?? 0) > 0;
  for (let count = 0; isExtended; count += 1) {
    if (count === MAX_OLD_GNU_EXTENSIONS) throw new Refusal('its sparse map is larger than 1 MiB');
    const block = yield BLOCK;
    if (block === undefined) throw new Refusal('the archive is cut off');
    fragments.push(...parseOldGnuFragments(block, extension.start, extension.capacity));
    isExtended = (block[extension.extended] ?? 0) > 0;
  }
  return fragments;
}

/** The map of format 1.0, in whole blocks at the start of the content. */
function* readSparseMap(contentLength: number): Parser<{ fragments: SparseFragment[]; mapLength: number }> {
  const map = collectSparseMap();
  for (let mapLength = BLOCK_SIZE; mapLength <= contentLength; mapLength += BLOCK_SIZE) {
    const block = yield BLOCK;
    if (block === undefined) break;
    const fragments = map.push(block);
    if (fragments !== undefined) return { fragments, mapLength };
  }
  throw new Refusal('its sparse map is cut off');
}

function toEntry(header: MergedHeader, { size, fragments }: Content, index: number): TarEntry {
  const { name, type, linkName, mode, uid, gid, mtime, deviceMajor, deviceMinor, xattrs } = header;
  return {
    index,
    name,
    type,
    linkName,
    mode,
    uid,
    gid,
    mtime,
    deviceMajor,
    deviceMinor,
    xattrs,
    size,
    sparse: fragments,
  };
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
}

function paddingOf(length: number): number {
  return (BLOCK_SIZE - (length % BLOCK_SIZE)) % BLOCK_SIZE;
}
