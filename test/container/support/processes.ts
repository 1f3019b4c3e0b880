import { readFileSync, readdirSync } from 'node:fs';

/** Process ids of the host, of each `sleep <marker>` that runs. */
export function processesWith(marker: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`sleep\0${marker}`);
      } catch {
        return false; // ended meanwhile
      }
    });
}
