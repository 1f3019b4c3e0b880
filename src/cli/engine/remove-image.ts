import { removeImage } from '../../container/remove-image.ts';
import { openEngine } from '../../image/engine.ts';
import type { RemovalEvent } from '../../image/remove-image.ts';
import type { RemoveRequest } from '../engine-api.ts';

export async function remove(nameOrId: string, { home, force, signal }: RemoveRequest): Promise<RemovalEvent[]> {
  return removeImage(await openEngine({ home }), nameOrId, { force, signal });
}
