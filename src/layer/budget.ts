import type { LayerLimits } from './layer-limits.ts';
import { Refusal } from './refusal.ts';

/** Keeps count of what a layer takes, and throws a `Refusal` (ERR_LIMIT, ERR_NO_SPACE) beyond its limits. */
export interface Budget {
  /** Bytes of the unpacked archive, what follows its end marker included. */
  takeArchive(bytes: number): void;
  /** Bytes of a file, holes included: said before it is written. */
  takeContent(bytes: number): void;
  /** Bytes of the tree manifest, which long names make larger than the archive. */
  takeManifest(bytes: number): void;
  takeEntry(): void;
  /** A path that is kept in memory to the end, with its length in bytes. */
  takePath(length: number): void;
  /** How many more such paths there may be. */
  pathsLeft(): number;
}

/** Of all paths that are kept: 160 for each of as many as there may be. */
const MAX_PATH_BYTES = 48 * 1024 * 1024;

export function createBudget(limits: LayerLimits): Budget {
  const left = {
    archive: limits.bytes,
    content: limits.bytes,
    manifest: limits.bytes,
    entries: limits.entries,
    paths: limits.folders,
    pathBytes: MAX_PATH_BYTES,
  };
  return {
    takeArchive(bytes) {
      left.archive -= bytes;
      if (left.archive < 0) throw tooManyBytes(limits, 'the unpacked archive has');
    },
    takeContent(bytes) {
      left.content -= bytes;
      if (left.content < 0) throw tooManyBytes(limits, 'the files in it have together');
    },
    takeManifest(bytes) {
      left.manifest -= bytes;
      if (left.manifest < 0) throw tooManyBytes(limits, 'the manifest of its tree has');
    },
    takeEntry() {
      left.entries -= 1;
      if (left.entries < 0) throw tooMuch(`it has more than ${limits.entries} entries`);
    },
    takePath(length) {
      left.paths -= 1;
      left.pathBytes -= length;
      if (left.paths < 0) throw tooMuch(`it has more than ${limits.folders} folders and whiteouts`);
      if (left.pathBytes < 0) throw tooMuch('the paths of its folders and whiteouts are too long');
    },
    pathsLeft: () => left.paths,
  };
}

function tooManyBytes({ bytes, isFreeSpace }: LayerLimits, what: string): Refusal {
  if (isFreeSpace !== true) return tooMuch(`${what} more than ${bytes} bytes`);
  return new Refusal(`${what} more than ${bytes} bytes, nine tenths of the free space`, { code: 'ERR_NO_SPACE' });
}

function tooMuch(reason: string): Refusal {
  return new Refusal(reason, { code: 'ERR_LIMIT' });
}
