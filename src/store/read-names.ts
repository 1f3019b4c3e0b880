import { isToolError } from '../errors.ts';
import { isDigest, type Digest } from '../oci/digest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { entryName, isOwnEntry, isUnchanged, parseRecord, type ImageRecord } from './image-record.ts';
import { readIndexFile, type IndexEntry } from './index-file.ts';

/** All that `index.json` says, and what is wrong with it. */
export interface Names {
  records: ImageRecord[];
  /** What other tools have put into the layout. */
  foreign: Array<{ name: string | undefined; digest: Digest }>;
  problems: NameProblem[];
}

/** `name` as far as it can be read; undefined for what is wrong with the file itself. `problem` is a clause. */
export interface NameProblem {
  name: string | undefined;
  problem: string;
  /** Nobody can list images, or collect garbage, while the entry is there. */
  isFatal: boolean;
}

/** Reads all entries, also beside one that is damaged. Throws ERR_STORE_DAMAGED for an index that cannot be read at all. */
export async function readNames(index: string): Promise<Names> {
  const { rest, entries } = await readIndexFile(index);
  const names: Names = { records: [], foreign: [], problems: indexProblems(rest) };
  for (const entry of entries) {
    if (isOwnEntry(entry)) readOwn(entry, names);
    else readForeign(entry, names);
  }
  return names;
}

// https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions
const INDEX_KEYS = ['schemaVersion', 'mediaType', 'artifactType', 'subject', 'annotations'];

function indexProblems(rest: Readonly<Record<string, unknown>>): NameProblem[] {
  const { mediaType = MEDIA_TYPES.ociIndex } = rest;
  const isStrange = mediaType !== MEDIA_TYPES.ociIndex || !Object.keys(rest).every((key) => INDEX_KEYS.includes(key));
  return isStrange ? [{ name: undefined, problem: 'it has fields that no OCI image index has', isFatal: false }] : [];
}

function readOwn(entry: IndexEntry, { records, problems }: Names): void {
  const name = entryName(entry);
  try {
    const record = parseRecord(entry, 'index.json');
    records.push(record);
    if (!isUnchanged(entry, record))
      problems.push({ name, problem: 'its entry is not what was written', isFatal: false });
  } catch (error) {
    if (!isToolError(error, 'ERR_STORE_DAMAGED')) throw error;
    problems.push({ name, problem: error.message, isFatal: true });
  }
}

function readForeign(entry: IndexEntry, { foreign, problems }: Names): void {
  const name = entryName(entry);
  const { digest } = entry.value;
  if (typeof digest !== 'string' || !isDigest(digest)) {
    problems.push({ name, problem: 'it has no digest that is known here', isFatal: true });
  } else if (JSON.stringify(entry.value).includes(OWN_ANNOTATIONS)) {
    problems.push({ name, problem: 'its entry is not what was written', isFatal: false });
  } else {
    foreign.push({ name, digest });
  }
}

/** Part of the names of all annotations that make an entry one of ours. */
const OWN_ANNOTATIONS = 'dev.mydocker.';
