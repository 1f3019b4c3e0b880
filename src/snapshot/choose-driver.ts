import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { temporaryPrefix } from '../linux/process-mark.ts';
import { copyDriver } from './copy.ts';
import type { SnapshotDriver } from './mount.ts';
import { overlayDriver } from './overlay.ts';
import { tryOverlay } from './try-overlay.ts';
import type { OverlayFacts } from './try-overlay.ts';

/** `runnerFolder` keeps the answer as well. */
export interface DriverFacts extends OverlayFacts {
  kernelRelease: string;
}

/** Overlay where it can be mounted, else copy. Tried once per store, kernel and kind of user; then remembered. */
export async function chooseDriver(facts: DriverFacts): Promise<SnapshotDriver> {
  const remembered = join(facts.runnerFolder, 'driver.json');
  const asked = { kernelRelease: facts.kernelRelease, ownership: facts.ownership.kind };
  let overlay = recall(remembered, asked);
  if (overlay === undefined) {
    overlay = (await tryOverlay(facts)) === undefined;
    remember(remembered, { ...asked, overlay });
  }
  return overlay ? overlayDriver(facts.whiteouts) : copyDriver(facts);
}

interface Question {
  kernelRelease: string;
  ownership: string;
}

/** Not synced, and no failure: whatever becomes of it, at worst the question is asked again. */
function remember(path: string, answer: Question & { overlay: boolean }): void {
  const temporary = join(dirname(path), `${temporaryPrefix()}${basename(path)}`);
  try {
    writeFileSync(temporary, JSON.stringify(answer), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // What is left of it is garbage.
  }
}

function recall(path: string, asked: Question): boolean | undefined {
  try {
    const known = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof Question | 'overlay', unknown>>;
    if (known.kernelRelease !== asked.kernelRelease || known.ownership !== asked.ownership) return undefined;
    return typeof known.overlay === 'boolean' ? known.overlay : undefined;
  } catch {
    return undefined; // not there, or not ours: ask again
  }
}
