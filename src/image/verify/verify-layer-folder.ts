import { join } from 'node:path';
import { isToolError } from '../../errors.ts';
import { withDiskErrors } from '../../fs/disk-error.ts';
import { hashFile } from '../../fs/hash-file.ts';
import { verifyLayer } from '../../layer/verify-layer.ts';
import { shortDigest } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import { inspectLayer } from '../../snapshot/inspect-layer.ts';
import { layerExtras } from '../../snapshot/layer-extras.ts';
import type { LayerInfo } from '../../snapshot/layer-info.ts';
import { layerFolder } from '../../snapshot/layers.ts';
import { layerDamage } from '../image-damage.ts';
import type { Verification } from './verification.ts';

/**
 * What is wrong with an unpacked layer, clauses; none if it is as it was unpacked. Its tree is read only by a deep verification.
 * @param diffId of the archive that it has to come from, where that is known
 */
export async function layerProblems(
  verification: Verification,
  chainId: Digest,
  diffId: Digest | undefined,
): Promise<string[]> {
  const folder = layerFolder(verification.engine.store.paths.layers, chainId);
  const { info, problem } = inspectLayer(folder);
  if (problem !== undefined) return [problem];
  const wrongContent = diffId === undefined ? undefined : layerDamage(folder, diffId);
  if (wrongContent !== undefined) return [wrongContent];
  const manifestPath = join(folder, 'manifest');
  const wrongManifest = await manifestProblem(manifestPath, info, verification.signal);
  if (wrongManifest !== undefined) return [wrongManifest];
  return compareTree(verification, chainId, { folder, manifestPath });
}

/** Reports, and moves to the trash, what is in the layer's folder and does not belong there. */
export async function verifyLayerExtras({ engine, mender, report }: Verification, chainId: Digest): Promise<void> {
  const { store } = engine;
  const folder = layerFolder(store.paths.layers, chainId);
  for (const name of layerExtras(folder)) {
    const path = join(folder, name);
    const damage = {
      kind: 'extra',
      path: path.slice(store.root.length + 1),
      problem: 'it is no part of a layer',
    } as const;
    report(damage, await mender?.discard(path));
  }
}

async function manifestProblem(
  path: string,
  { manifest }: LayerInfo,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (manifest === undefined) return undefined; // of the first version; a deep verification reads it
  const { hex } = await withDiskErrors('read', path, async () => hashFile(path, 'sha256', signal));
  return `sha256:${hex}` === manifest.digest ? undefined : `its tree manifest has the digest sha256:${hex}`;
}

async function compareTree(
  { children, signal }: Verification,
  chainId: Digest,
  { folder, manifestPath }: { folder: string; manifestPath: string },
): Promise<string[]> {
  if (children === undefined) return [];
  try {
    return await verifyLayer({
      label: shortDigest(chainId),
      folder: join(folder, 'fs'),
      manifestPath,
      children,
      signal,
    });
  } catch (error) {
    // A manifest that makes no sense, or a bad sector under the tree.
    if (isToolError(error, 'ERR_STORE_DAMAGED', 'ERR_STORE')) return [error.message];
    throw error;
  }
}
