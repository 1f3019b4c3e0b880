import { openEngine } from '../image/engine.ts';
import type { Engine, EngineOptions } from '../image/engine.ts';
import { ingestUsage } from '../store/ingest-usage.ts';
import type { ContainerSize } from './container-size.ts';
import { imageUsage } from './image-usage.ts';
import type { ImageUsage } from './image-usage.ts';
import { listContainers } from './list-containers.ts';
import type { ContainerSummary } from './list-containers.ts';
import { measureContainer } from './measure-container.ts';
import type { UsageTotals } from './usage-totals.ts';

export interface ContainerUsage extends ContainerSize {
  container: ContainerSummary;
}

export interface DiskUsage {
  /** What images share counts once, and what no image needs any more counts too. */
  images: UsageTotals & { items: ImageUsage[] };
  containers: UsageTotals & { items: ContainerUsage[] };
  partialDownloads: UsageTotals;
}

export interface DiskUsageOptions extends EngineOptions {
  signal?: AbortSignal | undefined;
}

/**
 * What the store takes on the disk, and how much of that is not in use. Sizes of layers are read, not measured; what containers
 * have written is measured.
 * @throws {ToolError} ERR_STORE; ERR_STORE_DAMAGED if the names of images cannot be read; ERR_ABORTED
 */
export async function diskUsage({ home, signal }: DiskUsageOptions = {}): Promise<DiskUsage> {
  const engine = await openEngine({ home });
  const { paths } = engine.store;
  const containers = listContainers(paths.containers);
  const images = await imageUsage(engine, containers, signal);
  const { total, active, bytes, activeBytes } = await ingestUsage(paths);
  return {
    images,
    containers: await containerUsage(engine, containers, signal),
    partialDownloads: { total, active, bytes, reclaimableBytes: bytes - activeBytes },
  };
}

async function containerUsage(
  engine: Engine,
  containers: readonly ContainerSummary[],
  signal: AbortSignal | undefined,
): Promise<DiskUsage['containers']> {
  const items: ContainerUsage[] = [];
  for (const container of containers) {
    items.push({ container, ...(await measureContainer(engine, container.id, signal)) });
  }
  const running = items.filter(({ container }) => container.status === 'running');
  const bytes = bytesIn(items);
  return {
    total: items.length,
    active: running.length,
    bytes,
    reclaimableBytes: bytes - bytesIn(running),
    items,
  };
}

function bytesIn(items: readonly ContainerUsage[]): number {
  let sum = 0;
  for (const { bytes } of items) sum += bytes;
  return sum;
}
