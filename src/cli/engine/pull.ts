import { pull as pullImage } from '../../image/pull.ts';
import type { PulledImage } from '../../image/pull-event.ts';
import type { PullRequest } from '../engine-api.ts';
import { isOffline } from '../offline.ts';

export async function pull(reference: string, request: PullRequest): Promise<PulledImage> {
  return pullImage(reference, {
    ...request,
    offline: isOffline(request.env),
    registry: async () => (await import('./registry-options.ts')).registryOptions(request),
  });
}
