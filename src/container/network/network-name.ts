import { ToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { NetworkMode } from '../steps/namespaces.ts';

/** What a user may ask for: a mode, or the program that makes a private network. */
export type NetworkName = NetworkMode | 'pasta' | 'slirp4netns';

/**
 * Reads `--network`, also in docker's and podman's words for the same.
 * @throws {ToolError} ERR_USAGE
 */
export function parseNetworkName(text: string | undefined): NetworkName | undefined {
  switch (text) {
    case undefined:
    case '':
    case 'default':
      return undefined;
    case 'bridge':
      return 'private';
    case 'host':
    case 'none':
    case 'private':
    case 'pasta':
    case 'slirp4netns':
      return text;
    default:
      throw new ToolError(
        'ERR_USAGE',
        `network ${printable(text)} not found: must be one of "host", "none" or "private"`,
      );
  }
}

/** Fixed, whatever is installed: docs/decisions/0010-network.md */
export function networkMode(name: NetworkName = 'host'): NetworkMode {
  return name === 'pasta' || name === 'slirp4netns' ? 'private' : name;
}
