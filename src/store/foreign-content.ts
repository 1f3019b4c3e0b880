import { isToolError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';
import type { Names } from './read-names.ts';
import { referencesOf } from './references.ts';

/** Which blobs the entries of other tools lead to, as far as they can be followed: digest -> name of the entry. */
export function foreignContent(blobs: BlobStore, foreign: Names['foreign']): Map<Digest, string> {
  const found = new Map<Digest, string>();
  const pending = foreign.map(({ name = 'no name', digest }) => ({ name, digest }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { name, digest } = next;
    if (found.has(digest)) continue;
    found.set(digest, name);
    for (const child of referencesIn(blobs, digest)) pending.push({ name, digest: child });
  }
  return found;
}

/** None of what is not there, is damaged, or is no document. */
function referencesIn(blobs: BlobStore, digest: Digest): Digest[] {
  try {
    const bytes = blobs.readDocument(digest);
    if (bytes === undefined) return [];
    const { documents, blobs: others } = referencesOf(bytes, digest);
    return [...documents.map((document) => document.digest), ...others];
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED', 'ERR_MANIFEST', 'ERR_LIMIT')) return [];
    throw error;
  }
}
