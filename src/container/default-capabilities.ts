import { DEFAULT_CAPABILITIES } from '../linux/capabilities.ts';
import type { Capability } from '../linux/capabilities.ts';
import type { NetworkMode } from './steps/namespaces.ts';

/**
 * Docker's 14; with a private network all but NET_RAW. Whoever can write frames of the link can have the program at its other end
 * connect to the host's loopback: the pasta of 2023 and slirp4netns take any address for a good one. `ping` works without.
 */
export function defaultCapabilities(network: NetworkMode): readonly Capability[] {
  return network === 'private' ? DEFAULT_CAPABILITIES.filter((name) => name !== 'NET_RAW') : DEFAULT_CAPABILITIES;
}
