import { ToolError } from '../errors.ts';
import { hostProblem } from '../oci/registry-host.ts';
import { printable } from '../printable.ts';
import { scopeOfKey } from './login-key.ts';

/**
 * The registry, as it is named in references, that is meant by what follows `login`: `https://ghcr.io/v2/` is `ghcr.io`,
 * all names of Docker Hub and none at all are `docker.io`. Throws ERR_REFERENCE.
 */
export function parseLoginServer(server: string | undefined): string {
  if (server === undefined || server === '') return 'docker.io';
  const { registry } = scopeOfKey(server);
  const problem = hostProblem(registry);
  if (problem === undefined) return registry;
  throw new ToolError('ERR_REFERENCE', `Cannot use server "${printable(server)}": ${problem}`);
}
