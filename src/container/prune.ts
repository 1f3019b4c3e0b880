import { ToolError } from '../errors.ts';
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
 * @throws {ToolError} ERR_USAGE; ERR_STORE_DAMAGED, with nothing removed, if it cannot be told what is needed; ERR_STORE, ERR_ABORTED
 */
export async function prune(options: PruneOptions = {}): Promise<PruneReport> {
  const { home, dryRun, signal, ...criteria } = options;
  checkNumbers(criteria);
  return pruneImages(await openEngine({ home }), { criteria, dryRun, signal });
}

/** Not a number would be less than anything, and all images would have to go. */
function checkNumbers({ unusedFor, keepStorage }: PruneCriteria): void {
  for (const [name, value] of Object.entries({ unusedFor, keepStorage })) {
    if (value === undefined || value >= 0) continue;
    throw new ToolError('ERR_USAGE', `Cannot prune images with ${name} ${value}: a number from 0 on was wanted`);
  }
}
