import { isToolError } from '../errors.ts';
import { throwIfAborted } from '../fs/abort.ts';
import type { Engine } from '../image/engine.ts';
import { hasLabels } from '../image/has-labels.ts';
import { imageLabels } from '../image/list-images.ts';
import { listContainers } from './list-containers.ts';
import type { ContainerSummary } from './list-containers.ts';
import { measureContainer } from './measure-container.ts';
import { reapContainers } from './reap-containers.ts';
import { removeContainer } from './remove-container.ts';

/** Which of the containers that do not run to remove. All that is given has to hold; a damaged container meets nothing. */
export interface ContainerCriteria {
  /** Made no later. */
  until?: Date | undefined;
  /** Whose image has all of these labels, each a key or `key=value`. */
  labels?: readonly string[] | undefined;
  /** Whose image does not have all of these labels. */
  withoutLabels?: readonly string[] | undefined;
}

export interface PruneContainersOptions {
  criteria: ContainerCriteria;
  signal?: AbortSignal | undefined;
}

export interface PrunedContainers {
  /** IDs. */
  removed: string[];
  /** What they had written, in bytes. */
  reclaimedBytes: number;
}

/**
 * Removes containers that have ended. One that is only about to start has not.
 * @throws {ToolError} ERR_STORE, ERR_ABORTED
 */
export async function pruneContainers(
  engine: Engine,
  { criteria, signal }: PruneContainersOptions,
): Promise<PrunedContainers> {
  const { store, host } = engine;
  const { paths } = store;
  const pruned: PrunedContainers = { removed: [], reclaimedBytes: 0 };
  await reapContainers({ paths, ownership: host.ownership });
  for (const container of listContainers(paths.containers)) {
    throwIfAborted(signal, 'remove containers');
    const { id, status } = container;
    if ((status !== 'exited' && status !== 'dead') || !(await meets(engine, container, criteria))) continue;
    const { bytes } = await measureContainer(engine, id, signal);
    if (!(await removeUnlessBusy(engine, id, signal))) continue;
    pruned.removed.push(id);
    pruned.reclaimedBytes += bytes;
  }
  return pruned;
}

async function meets(
  engine: Engine,
  { record }: ContainerSummary,
  { until, labels = [], withoutLabels = [] }: ContainerCriteria,
): Promise<boolean> {
  const isLabelled = labels.length > 0 || withoutLabels.length > 0;
  if (until === undefined && !isLabelled) return true;
  if (record === undefined) return false;
  if (until !== undefined && !(new Date(record.created) <= until)) return false;
  if (!isLabelled) return true;
  const own = await imageLabels(engine, record.manifest);
  return hasLabels(own, labels) && (withoutLabels.length === 0 || !hasLabels(own, withoutLabels));
}

/** Whoever looks after its end, or removes it, has it locked. */
async function removeUnlessBusy(
  { store, host }: Engine,
  container: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await removeContainer({ paths: store.paths, container, force: false, ownership: host.ownership, signal });
    return true;
  } catch (error) {
    if (isToolError(error, 'ERR_CONFLICT', 'ERR_NO_SUCH_CONTAINER')) return false;
    throw error;
  }
}
