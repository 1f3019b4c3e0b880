import { pull as pullImage } from '../../image/pull.ts';
import type { PulledImage } from '../../image/pull-event.ts';
import type { PullRequest } from '../engine-api.ts';
import { registryOptions } from './registry-options.ts';

export async function pull(reference: string, request: PullRequest): Promise<PulledImage> {
  return pullImage(reference, { ...request, registry: registryOptions(request) });
}
