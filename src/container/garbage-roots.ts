import { parseDigest } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContainerRoots } from '../store/collect-garbage.ts';
import { containerRoots } from './list-containers.ts';

/** What containers need, as the store wants to know it. Throws ERR_STORE_DAMAGED if one cannot be read. */
export function garbageRoots(containers: string): ContainerRoots {
  const { manifests, layers } = containerRoots(containers);
  return { manifests, layers: layers.map(chainIdOf) };
}

/** Folders of layers are named by the chain ID without its algorithm. */
function chainIdOf(hex: string): Digest {
  return parseDigest(`${hex.length === 128 ? 'sha512' : 'sha256'}:${hex}`);
}
