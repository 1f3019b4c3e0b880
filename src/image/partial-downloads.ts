import { ToolError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import { printable } from '../printable.ts';
import { listPartialDownloads, removePartialDownload as removeFromStore } from '../store/partial-downloads.ts';
import type { PartialDownload } from '../store/partial-downloads.ts';
import { openEngine } from './engine.ts';
import type { EngineOptions } from './engine.ts';

/** Downloads that stopped halfway, or are under way; the last to change first. */
export async function partialDownloads(options: EngineOptions = {}): Promise<PartialDownload[]> {
  return listPartialDownloads((await openEngine(options)).store.paths);
}

export interface RemovedDownload {
  digest: Digest;
  /** Bytes that it took. */
  size: number;
}

/**
 * Removes the partial downloads of an image, or the one with a digest, of which the first characters will do.
 * @throws {ToolError} ERR_NO_SUCH_DOWNLOAD; ERR_CONFLICT, before any is removed, if a process is at one of them; ERR_USAGE if
 * the digest fits several
 */
export async function removePartialDownload(
  imageOrDigest: string,
  options: EngineOptions = {},
): Promise<RemovedDownload[]> {
  const { paths } = (await openEngine(options)).store;
  const chosen = choose(listPartialDownloads(paths), imageOrDigest);
  // Those that are active come first: what throws has removed nothing.
  const ordered = chosen.sort((a, b) => Number(b.active) - Number(a.active));
  const removed = ordered.flatMap(({ digest }) => {
    const size = removeFromStore(paths, digest);
    return size === undefined ? [] : [{ digest, size }];
  });
  if (removed.length === 0) {
    throw new ToolError('ERR_NO_SUCH_DOWNLOAD', `No such partial download: ${printable(imageOrDigest)}`);
  }
  return removed;
}

/** A name goes before a digest, as with images. */
function choose(downloads: readonly PartialDownload[], text: string): PartialDownload[] {
  const name = canonicalName(text);
  const named = downloads.filter(({ reference }) => reference !== undefined && reference === name);
  if (named.length > 0) return named;
  const start = text.includes(':') ? text : `sha256:${text}`;
  if (!/^sha(256|512):[0-9a-f]+$/.test(start)) return [];
  const matches = downloads.filter(({ digest }) => digest.startsWith(start));
  if (matches.length > 1) {
    throw new ToolError(
      'ERR_USAGE',
      `Cannot find download "${printable(text)}": it fits ${matches.length}, and one was wanted`,
      { hint: 'Give more characters of the digest.' },
    );
  }
  return matches;
}

function canonicalName(text: string): string | undefined {
  try {
    return formatReference(withDefaultTag(parseReference(text)));
  } catch {
    return undefined; // not a name; it may be a digest
  }
}
