import type { Digest } from './digest.ts';
import { digestOf } from './digest.ts';

/**
 * The chain IDs of a stack of layers, bottom first: element n names the result of applying layers 0 to n.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-chainid
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(Buffer.from(`${below} ${diffId}`)));
  }
  return chain;
}
