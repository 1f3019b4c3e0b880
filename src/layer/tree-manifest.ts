import { writeSync } from 'node:fs';

import type { TreeRecord } from './tree-record.ts';

/** First line of a tree manifest. */
export const MANIFEST_HEAD = { format: 'mydocker-tree', version: 1 } as const;

export interface ManifestWriter {
  add(record: TreeRecord): void;
  /** Writes what is still in memory and the last line. */
  finish(): void;
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
  const flush = (): void => {
    const bytes = Buffer.from(pending);
    pending = '';
    onBytes(bytes.length);
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
    },
  };
}
