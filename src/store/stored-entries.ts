import { entryName, isOwnEntry, parseRecord, type ImageRecord } from './image-record.ts';
import { readIndexFile, type IndexEntry } from './index-file.ts';

/** An entry of `index.json`, and what it stands for if it is one of ours. */
export interface StoredEntry {
  entry: IndexEntry;
  record: ImageRecord | undefined;
}

/** All entries, in their order. Throws ERR_STORE_DAMAGED if the file, or an entry of ours, cannot be read. */
export async function storedEntries(index: string): Promise<StoredEntry[]> {
  const { entries } = await readIndexFile(index);
  return entries.map((entry) => ({ entry, record: isOwnEntry(entry) ? parseOwn(entry, index) : undefined }));
}

/** Those that are ours. */
export function recordsOf(entries: readonly StoredEntry[]): ImageRecord[] {
  return entries.map(({ record }) => record).filter((record) => record !== undefined);
}

function parseOwn(entry: IndexEntry, index: string): ImageRecord {
  return parseRecord(entry, placeOf(entry, index));
}

/** Names an entry in errors. */
export function placeOf(entry: IndexEntry, index: string): string {
  return `${index} "${entryName(entry) ?? ''}"`;
}
