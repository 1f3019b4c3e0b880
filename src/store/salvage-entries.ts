import { isToolError } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import { isOwnEntry, isUnchanged, parseRecord } from './image-record.ts';
import { parseEntry, type IndexEntry } from './index-file.ts';

/** In characters. What is longer is no entry. */
const MAX_ENTRY = 64 * 1024;

/**
 * The entries of an `index.json` that is no JSON as a whole: cut off, or with a flipped bit somewhere. Entries of ours only if they
 * are what was written, as far as that can be known; those of other tools if they look like descriptors.
 */
export function salvageEntries(text: string): IndexEntry[] {
  const entries: IndexEntry[] = [];
  for (let at = text.indexOf('{'); at !== -1; at = text.indexOf('{', at)) {
    const end = endOfObject(text, at);
    const entry = end === undefined ? undefined : entryIn(text.slice(at, end));
    if (entry !== undefined) entries.push(entry);
    at = entry === undefined || end === undefined ? at + 1 : end;
  }
  return entries;
}

/** Behind the brace that closes the one at `start`; undefined if there is none near. */
function endOfObject(text: string, start: number): number | undefined {
  const last = Math.min(text.length, start + MAX_ENTRY);
  let depth = 0;
  let isInString = false;
  for (let at = start; at < last; at += 1) {
    const character = text[at];
    if (isInString) {
      if (character === '\\') at += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{') depth += 1;
    else if (character === '}') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

function entryIn(text: string): IndexEntry | undefined {
  try {
    const entry = parseEntry(JSON.parse(text), 'index.json');
    return isGood(entry, text) ? entry : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isToolError(error, 'ERR_STORE_DAMAGED')) return undefined;
    throw error;
  }
}

function isGood(entry: IndexEntry, text: string): boolean {
  if (isOwnEntry(entry)) return isUnchanged(entry, parseRecord(entry, 'index.json'));
  const { digest, mediaType, size } = entry.value;
  const isDescriptor = typeof digest === 'string' && isDigest(digest) && typeof mediaType === 'string';
  return isDescriptor && typeof size === 'number' && !text.includes('dev.mydocker.');
}
