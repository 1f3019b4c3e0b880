import { existsSync } from 'node:fs';
import type { Digest } from '../../oci/digest.ts';
import { layerFolder } from '../../snapshot/layers.ts';
import type { LocalImage } from '../local-image.ts';
import type { Repair } from './finding.ts';
import type { Verification } from './verification.ts';
import { layerProblems, verifyLayerExtras } from './verify-layer-folder.ts';

/** Verifies the unpacked layers of an image, bottom first. Answers whether all are intact, by now. */
export async function verifyLayers(verification: Verification, image: LocalImage): Promise<boolean> {
  const { layers, mender } = verification;
  const damaged = new Map<Digest, Seen>();
  for (const [index, chainId] of image.chain.entries()) {
    if (layers.has(chainId)) continue;
    const seen = await look(verification, chainId, image.config.diffIds[index]);
    layers.set(chainId, seen.problems.length === 0);
    if (seen.problems.length > 0) damaged.set(chainId, seen);
  }
  const repairs = damaged.size === 0 ? undefined : await mender?.unpackLayers(image, new Set(damaged.keys()));
  for (const [chainId, seen] of damaged) conclude(verification, chainId, { ...seen, repair: repairs?.get(chainId) });
  return image.chain.every((chainId) => layers.get(chainId));
}

/** The same for a layer that no image of this engine needs: if it is damaged, it is of no use. */
export async function verifyOtherLayer(verification: Verification, chainId: Digest): Promise<void> {
  if (verification.layers.has(chainId)) return;
  const seen = await look(verification, chainId, undefined);
  if (seen.problems.length === 0) return;
  conclude(verification, chainId, { ...seen, repair: await verification.mender?.discardLayer(chainId) });
}

interface Seen {
  state: 'missing' | 'damaged';
  problems: readonly string[];
}

/** Before anything of it is repaired. */
async function look(verification: Verification, chainId: Digest, diffId: Digest | undefined): Promise<Seen> {
  const { paths } = verification.engine.store;
  await verifyLayerExtras(verification, chainId);
  const problems = await layerProblems(verification, chainId, diffId);
  return { state: existsSync(layerFolder(paths.layers, chainId)) ? 'damaged' : 'missing', problems };
}

function conclude(
  { layers, report, uses }: Verification,
  chainId: Digest,
  { state, problems, repair }: Seen & { repair: Repair | undefined },
): void {
  const images = uses.ofLayer(chainId);
  for (const problem of problems) report({ kind: 'layer', state, chainId, images, problem }, repair);
  layers.set(chainId, repair?.isDone === true);
}
