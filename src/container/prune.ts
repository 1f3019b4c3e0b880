import type { PruneCriteria } from '../image/choose-unused.ts';
import { openEngine } from '../image/engine.ts';
import type { EngineOptions } from '../image/engine.ts';
import { pruneImages } from './prune-images.ts';
import type { PruneReport } from './prune-images.ts';

export interface PruneOptions extends EngineOptions, PruneCriteria {
  /** Only answer what would be removed. */
  dryRun?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Removes dangling images, or with `all`, `unusedFor` or `keepStorage` others too, if no container uses them; and everything in
 * the store that nothing needs.
 * @throws {ToolError} ERR_STORE_DAMAGED, with nothing removed, if it cannot be told what is needed; ERR_STORE, ERR_ABORTED
 */
export async function prune(options: PruneOptions = {}): Promise<PruneReport> {
  const { home, dryRun, signal, ...criteria } = options;
  return pruneImages(await openEngine({ home }), { criteria, dryRun, signal });
}
