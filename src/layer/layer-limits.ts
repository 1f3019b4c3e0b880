/** How much one layer may make of the disk and of memory. */
export interface LayerLimits {
  /** Of the unpacked archive, and of all files in it with their holes. */
  bytes: number;
  entries: number;
  /** Folders and whiteouts together: they are kept in memory to the end. */
  folders: number;
  /** Whether `bytes` is what the disk has room for: more than that is ERR_NO_SPACE and not ERR_LIMIT. */
  isFreeSpace?: boolean | undefined;
}

const GIB = 1024 ** 3;

/** Real layers stay far below: the largest known have some 500,000 entries. The second keeps the process below 300 MB. */
const MAX_ENTRIES = 4_000_000;
const MAX_FOLDERS = 300_000;

/**
 * What is accepted unless the caller says otherwise: 20 GiB or 200 times the compressed size, whichever is more (gzip does not
 * compress real files better than that), and never more than 90 % of the free space. All in bytes.
 */
export function defaultLimits(compressedSize: number, freeSpace: number): LayerLimits {
  const wanted = Math.max(20 * GIB, 200 * compressedSize);
  const usable = Math.floor(freeSpace * 0.9);
  const limits = { entries: MAX_ENTRIES, folders: MAX_FOLDERS };
  return usable < wanted ? { ...limits, bytes: usable, isFreeSpace: true } : { ...limits, bytes: wanted };
}
