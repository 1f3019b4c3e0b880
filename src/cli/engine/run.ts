import { run as runImage } from '../../container/run.ts';
import type { RunResult } from '../../container/run-container.ts';
import type { RunRequest } from '../engine-api.ts';
import { isOffline } from '../offline.ts';

export async function run(image: string, request: RunRequest): Promise<RunResult> {
  const { command, remove, environment, interactive } = request;
  return runImage(image, command, {
    ...request,
    env: environment,
    rm: remove,
    searchPath: request.env['PATH'],
    offline: isOffline(request.env),
    registry: async () => (await import('./registry-options.ts')).registryOptions(request),
    stdio: [interactive ? 'inherit' : 'ignore', 'inherit', 'inherit'],
  });
}
