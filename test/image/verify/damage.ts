import {
  lstatSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { join } from 'node:path';

/** What can happen to a file. */
export const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  'S17 a flipped bit': (path) => flipBit(path, 8 * Math.floor(lstatSync(path).size / 2)),
  'S18 all of it cut off': (path) => changing(path, () => truncateSync(path, 0)),
  'S18 half of it cut off': (path) => changing(path, () => truncateSync(path, Math.floor(lstatSync(path).size / 2))),
  'S19 it is deleted': (path) => rmSync(path, { recursive: true }),
};

/** Flips one bit of a file, and changes nothing else that can be seen. Doing it again brings the file back. */
export function flipBit(path: string, bit: number): void {
  changing(path, () => {
    const bytes = readFileSync(path);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(path, bytes);
  });
}

/** The file keeps its mode and its times. */
function changing(path: string, change: () => void): void {
  const { mode, atime, mtime } = lstatSync(path);
  chmodSync(path, 0o600);
  change();
  chmodSync(path, mode & 0o7777);
  utimesSync(path, atime, mtime);
}

/** All files of a store by path, with what changes when one is written or replaced. What comes and goes is left out. */
export function fingerprints(root: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    if (entry.isDirectory() || /^(trash|ingest|leases|containers|runner)\/|\.lock$/.test(name)) continue;
    const { ino, mtimeMs, size } = lstatSync(path);
    found.set(name, `${ino} ${mtimeMs} ${size}`);
  }
  return found;
}

/** Paths that are not in both, or not the same in both. */
export function changedPaths(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
}
