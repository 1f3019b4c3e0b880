import { mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diskError } from '../fs/disk-error.ts';
import { removeTree } from '../fs/remove-tree.ts';
import type { Ownership } from '../linux/ownership.ts';
import { temporaryPrefix } from '../linux/process-mark.ts';
import { CLONE } from '../linux/process-flags.ts';
import type { Program } from '../linux/program.ts';
import { startRunner } from '../linux/runner.ts';
import { StepError } from '../linux/step-error.ts';
import { userNamespaceSteps } from '../linux/user-namespace.ts';
import { copyDriver } from './copy.ts';
import type { SnapshotDriver } from './mount.ts';
import { overlayDriver } from './overlay.ts';

export interface DriverFacts {
  /** Where containers' folders are made: whether overlayfs can be mounted depends on their file system. */
  containers: string;
  /** Keeps the answer, and the runner's executable file. */
  runnerFolder: string;
  whiteouts: 'trusted' | 'user';
  ownership: Ownership;
  kernelRelease: string;
}

/** Overlay where it can be mounted, else copy. Tried once per store, kernel and kind of user; then remembered. */
export async function chooseDriver(facts: DriverFacts): Promise<SnapshotDriver> {
  const remembered = join(facts.runnerFolder, 'driver.json');
  const asked = { kernelRelease: facts.kernelRelease, ownership: facts.ownership.kind };
  let overlay = recall(remembered, asked);
  if (overlay === undefined) {
    overlay = await tryOverlay(facts);
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

/** Mounts an overlay over two empty folders, in namespaces that end with the program. */
async function tryOverlay(facts: DriverFacts): Promise<boolean> {
  const folder = makeFolder(facts.containers);
  const layer = join(folder, 'layer');
  try {
    mkdirSync(join(layer, 'fs'), { recursive: true });
    const mount = await overlayDriver(facts.whiteouts).prepare({ folder, layers: [layer], ephemeral: false });
    if (mount.type !== 'overlay') return false;
    const program: Program = [
      ...userNamespaceSteps(facts.ownership),
      { call: 'unshare', args: [CLONE.NEWNS], what: 'create a mount namespace' },
      { call: 'chdir', args: [folder], what: 'enter the folder' },
      { call: 'mount', args: ['overlay', 'rootfs', 'overlay', 0, mount.options.join(',')], what: 'mount an overlay' },
    ];
    const running = startRunner({
      program,
      stdio: ['ignore', 'ignore', 'ignore'],
      idMap: facts.ownership,
      runnerFolder: facts.runnerFolder,
    });
    await running.started;
    await running.exited;
    return true;
  } catch (error) {
    if (error instanceof StepError) {
      if (error.call === 'mount') return false;
      throw error;
    }
    throw diskError(error, 'prepare', folder);
  } finally {
    await removeTree(folder);
  }
}

function makeFolder(containers: string): string {
  try {
    return mkdtempSync(join(containers, temporaryPrefix()));
  } catch (error) {
    throw diskError(error, 'prepare', containers);
  }
}
