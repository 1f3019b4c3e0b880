import { attachContainer } from '../../container/attach-container.ts';
import { followSession } from '../../container/session/follow-session.ts';
import type { SessionEnd } from '../../container/session/follow-session.ts';
import { openEngine } from '../../image/engine.ts';
import type { AttachRequest } from '../engine-api.ts';

export async function attach(nameOrId: string, { home, ...request }: AttachRequest): Promise<SessionEnd> {
  const { store } = await openEngine({ home });
  const connection = await attachContainer(store.paths.containers, nameOrId);
  return followSession({ ...request, connection, isOwner: false });
}
