import { openEngine } from '../image/engine.ts';
import type { EngineOptions } from '../image/engine.ts';
import type { RemovalEvent } from '../image/remove-image.ts';
import { removeImage } from './remove-image.ts';

export interface RemoveOptions extends EngineOptions {
  /** Also with several names, or with containers that do not run. */
  force?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Takes a name from an image and, with its last name or by ID, frees what nothing else needs.
 * @throws {ToolError} ERR_NO_SUCH_IMAGE, ERR_CONFLICT, ERR_STORE, ERR_STORE_DAMAGED, ERR_ABORTED
 */
export async function remove(nameOrId: string, options: RemoveOptions = {}): Promise<RemovalEvent[]> {
  return removeImage(await openEngine(options), nameOrId, options);
}
