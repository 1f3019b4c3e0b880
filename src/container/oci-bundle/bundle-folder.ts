import { join } from 'node:path';

/** The folder of a container's bundle, in its own. */
export function bundleFolder(containerFolder: string): string {
  return join(containerFolder, 'bundle');
}
