import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';

import { parseDigest, type Digest } from '../oci/digest.ts';
import type { TreeRecord } from './tree-record.ts';

/** First line of a tree manifest. */
export const MANIFEST_HEAD = { format: 'mydocker-tree', version: 2 } as const;

export interface ManifestWriter {
  add(record: TreeRecord): void;
  /** Writes what is still in memory and the last line, and answers what was written in all. */
  finish(): WrittenManifest;
}

export interface WrittenManifest {
  digest: Digest;
  /** In bytes. */
  size: number;
}

const FLUSH_SIZE = 256 * 1024; // characters

/**
 * Writes a tree manifest: a line of JSON per record, in the order in which things were made, between a head line and a last line
 * with the number of records. A later record of a path replaces an earlier one and, unless both are folders, all below it.
 * `onBytes` hears how many bytes are about to be written, and may throw.
 */
export function createManifestWriter(fd: number, onBytes: (count: number) => void): ManifestWriter {
  let pending = `${JSON.stringify(MANIFEST_HEAD)}\n`;
  let count = 0;
  let size = 0;
  const hash = createHash('sha256');
  const flush = (): void => {
    const bytes = Buffer.from(pending);
    pending = '';
    onBytes(bytes.length);
    size += bytes.length;
    hash.update(bytes);
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  };
  return {
    add(record) {
      count += 1;
      pending += `${JSON.stringify(record)}\n`;
      if (pending.length >= FLUSH_SIZE) flush();
    },
    finish() {
      pending += `${JSON.stringify({ records: count })}\n`;
      flush();
      return { digest: parseDigest(`sha256:${hash.digest('hex')}`), size };
    },
  };
}
