import { lstatSync, utimesSync } from 'node:fs';
import type { Digest } from '../oci/digest.ts';
import type { Store } from '../store/open-store.ts';

/**
 * Remembers that an image is used now: as the time of its manifest's file. Only `prune` looks at it, to choose; so an error, as on a
 * read-only store, is none. Why there: docs/decisions/0006-last-use.md.
 */
export function recordUse({ blobs }: Store, manifest: Digest): void {
  const now = new Date();
  try {
    utimesSync(blobs.path(manifest), now, now);
  } catch {
    // It keeps the time that it has.
  }
}

/** When an image was last run or pulled, in milliseconds since 1970. Undefined if its manifest is not in the store. */
export function lastUse({ blobs }: Store, manifest: Digest): number | undefined {
  return lstatSync(blobs.path(manifest), { throwIfNoEntry: false })?.mtimeMs;
}
