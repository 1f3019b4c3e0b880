import type { RunOptions } from '../../container/run-options.ts';
import type { RunRequest } from '../engine-api.ts';
import { isOffline } from '../offline.ts';

/** What the library calls the things that the command line asks for. */
export function runOptions(request: RunRequest): RunOptions {
  return {
    ...request,
    env: request.environment,
    rm: request.remove,
    searchPath: request.env['PATH'],
    offline: isOffline(request.env),
    registry: async () => (await import('./registry-options.ts')).registryOptions(request),
    stdio: [request.interactive ? 'inherit' : 'ignore', 'inherit', 'inherit'],
  };
}
