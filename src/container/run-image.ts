import { recordUse } from '../image/last-use.ts';
import { keepIds } from '../linux/keep-ids.ts';
import { chooseDriver } from '../snapshot/choose-driver.ts';
import { copyDriver } from '../snapshot/copy.ts';
import type { PreparedRun } from './prepare-run.ts';
import { runContainer } from './run-container.ts';
import type { RunRequest, RunResult } from './run-container.ts';

export interface RunImageRequest
  extends PreparedRun, Pick<RunRequest, 'stdio' | 'onLaunched' | 'onStarted' | 'signals' | 'signal'> {}

/** Runs a command in a fresh copy of an image. Throws what `runContainer` throws. */
export async function runImage({ engine, image, ...request }: RunImageRequest): Promise<RunResult> {
  const { store, host } = engine;
  const kept = request.options.userns?.kind === 'keep-id' ? keepIds(host, request.options.userns) : undefined;
  const facts = {
    containers: store.paths.containers,
    runnerFolder: store.paths.runner,
    whiteouts: store.format.whiteouts,
    ownership: host.ownership,
    kernelRelease: host.kernelRelease,
  };
  const driver = kept?.needsCopy === true ? copyDriver({ ...facts, owners: kept.owners }) : await chooseDriver(facts);
  const result = await runContainer({ paths: store.paths, host, image, driver, kept, ...request });
  recordUse(store, image.manifest); // it was in use until now
  return result;
}
