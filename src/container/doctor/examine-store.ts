import { realpathSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openEngine, storeFolder } from '../../image/engine.ts';
import type { Engine } from '../../image/engine.ts';
import { runnerFile } from '../../linux/runner-file.ts';
import type { StepError } from '../../linux/step-error.ts';
import { isMachine } from '../../linux/syscalls.ts';
import { chooseDriver } from '../../snapshot/choose-driver.ts';
import type { SnapshotDriver } from '../../snapshot/mount.ts';
import { tryOverlay } from '../../snapshot/try-overlay.ts';
import type { StoreFacts, Trials } from './machine-facts.ts';
import { refusalOf } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { refused } from './trials.ts';
import type { TrialOptions } from './trials.ts';
import { tryContainer } from './try-container.ts';

export interface StoreExamination {
  store: StoreFacts;
  trials: Pick<Trials, 'overlay' | 'container'>;
}

/** Opens the store as every command does, which makes it if it is not there, and sets up a container in it. */
export async function examineStore(home: string | undefined, options: TrialOptions): Promise<StoreExamination> {
  let engine: Engine | undefined;
  const refusal = await refused(options, async () => {
    engine = await openEngine({ home });
  });
  const folder = existingFolder(storeFolder({ home }));
  const tried = engine === undefined ? UNTRIED : await tryStore(engine, options);
  const store = { folder, ...freeSpace(folder), refusal, driver: tried.driver, runner: runnerPlace(options) };
  return { store, trials: { overlay: tried.overlay, container: tried.container } };
}

type Tried = StoreExamination['trials'] & Pick<StoreFacts, 'driver'>;

const UNTRIED: Tried = { overlay: 'untried', container: undefined, driver: undefined };

async function tryStore({ store: { paths, format }, host }: Engine, options: TrialOptions): Promise<Tried> {
  const { ownership, kernelRelease } = host;
  const { whiteouts } = format;
  const facts = { containers: paths.containers, runnerFolder: paths.runner, whiteouts, ownership, kernelRelease };
  let failure: StepError | undefined;
  const untried = await refused(options, async () => {
    failure = await tryOverlay(facts);
  });
  const overlay = failure === undefined ? undefined : refusalOf(failure, host);
  let driver: SnapshotDriver | undefined;
  const container = await refused(options, async () => {
    driver = await chooseDriver(facts);
    await tryContainer({ paths, host, driver, signal: options.signal });
  });
  return { overlay: untried === undefined ? overlay : 'untried', container, driver: driver?.name };
}

function runnerPlace({ host, runnerFolder }: TrialOptions): string | Refusal {
  try {
    if (!isMachine(process.arch)) return { problem: `there is none for ${process.arch}`, remedy: undefined };
    const file = runnerFile(runnerFolder, process.arch);
    file.release();
    return file.path;
  } catch (error) {
    return refusalOf(error, host);
  }
}

/** The store's folder, or the one above it that is there, without symlinks. */
function existingFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : existingFolder(above);
  }
}

function freeSpace(folder: string): Pick<StoreFacts, 'freeBytes' | 'freeFiles' | 'maxFiles'> {
  try {
    const { bavail, bsize, ffree, files } = statfsSync(join(folder, '.'));
    return { freeBytes: bavail * bsize, freeFiles: ffree, maxFiles: files };
  } catch {
    return { freeBytes: NaN, freeFiles: NaN, maxFiles: NaN };
  }
}
