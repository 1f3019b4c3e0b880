import { askRegistry } from './ask-registry.ts';
import type { Authorizer } from './authorizer.ts';
import type { RegistryChannel } from './registry-channel.ts';
import { withRetries } from './retry.ts';
import type { Purpose } from './status-error.ts';
import { statusError } from './status-error.ts';

/**
 * Asks a registry whether it is one, by `GET /v2/` without a login; that it wants a login is as good an answer.
 * Throws NetworkError if none came, StatusError for another one, ERR_ABORTED.
 */
export async function reachRegistry(
  channel: RegistryChannel,
  { registryName, signal }: { registryName: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const action = `reach "${registryName}"`;
  const purpose: Purpose = { action, reference: { registry: registryName, repository: '' }, kind: 'login' };
  const authorizer: Authorizer = {
    current: async () => undefined,
    next: async () => undefined,
    withoutLogin: () => undefined,
  };
  const request = { method: 'GET', path: '', headers: {}, purpose, signal } as const;
  const answer = await withRetries(async () => askRegistry({ ...channel, authorizer }, request), {
    ...channel.retrying,
    signal,
    action,
  });
  if (answer.ok) answer.response.discard();
  else if (answer.failure.status !== UNAUTHORIZED)
    throw statusError(answer.failure, purpose, channel.retrying.timing.date());
}

const UNAUTHORIZED = 401;
