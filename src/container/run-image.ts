import type { Engine } from '../image/engine.ts';
import { recordUse } from '../image/last-use.ts';
import { obtainImage } from '../image/obtain-image.ts';
import type { ObtainImageOptions } from '../image/obtain-image.ts';
import { keepIds } from '../linux/keep-ids.ts';
import { chooseDriver } from '../snapshot/choose-driver.ts';
import { copyDriver } from '../snapshot/copy.ts';
import { runContainer } from './run-container.ts';
import type { RunRequest, RunResult } from './run-container.ts';

export interface RunImageRequest
  extends
    Pick<RunRequest, 'options' | 'stdio' | 'onLaunched' | 'onStarted' | 'signals' | 'signal'>,
    ObtainImageOptions {
  /** Name or ID. */
  image: string;
}

/** Runs a command in a fresh copy of an image, which is pulled before if need be. Throws what `runContainer` and the pull throw. */
export async function runImage(engine: Engine, request: RunImageRequest): Promise<RunResult> {
  const image = await obtainImage(engine, request.image, request);
  const { store, host } = engine;
  const { options, stdio, onLaunched, onStarted, signals, signal } = request;
  const kept = options.userns?.kind === 'keep-id' ? keepIds(host, options.userns) : undefined;
  const facts = {
    containers: store.paths.containers,
    runnerFolder: store.paths.runner,
    whiteouts: store.format.whiteouts,
    ownership: host.ownership,
    kernelRelease: host.kernelRelease,
  };
  const driver = kept?.needsCopy === true ? copyDriver({ ...facts, owners: kept.owners }) : await chooseDriver(facts);
  const result = await runContainer({
    paths: store.paths,
    host,
    image,
    driver,
    kept,
    options,
    stdio,
    onLaunched,
    onStarted,
    signals,
    signal,
  });
  recordUse(store, image.manifest); // it was in use until now
  return result;
}
