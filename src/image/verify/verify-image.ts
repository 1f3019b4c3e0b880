import type { Descriptor } from '../../oci/descriptor.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import { sizeProblem } from '../image-damage.ts';
import { isUnusable, readLocalImage, readLocalManifest } from '../local-image.ts';
import type { Repair } from './finding.ts';
import type { Verification } from './verification.ts';
import { verifyAccountFiles } from './verify-account-files.ts';
import { verifyBlob } from './verify-blob.ts';
import { verifyLayers } from './verify-layers.ts';

/**
 * Verifies all that an image consists of, top-down: what is repaired is good again before anything is looked at that it leads to.
 * What an index lists for other platforms need not be there.
 */
export async function verifyImage(verification: Verification, record: ImageRecord): Promise<void> {
  const { store } = verification.engine;
  for (const document of documentsOf(record)) if (!(await verifyBlob(verification, document))) return;
  const wrongSize = sizeProblem(store.blobs.path(record.target.digest), record.target.size);
  if (wrongSize !== undefined) reportName(verification, record, wrongSize);
  const manifest = await readOrReport(verification, record, async () => readLocalManifest(store, record.manifest));
  if (manifest === undefined) return;
  await verification.uses.add(record);
  const hasConfig = await verifyBlob(verification, manifest.config);
  if (hasConfig) await verification.uses.add(record);
  for (const layer of manifest.layers) await verifyBlob(verification, layer);
  if (!hasConfig) return;
  const image = await readOrReport(verification, record, async () => readLocalImage(store, record.manifest));
  if (image === undefined) return;
  if (image.imageId !== record.imageId) reportName(verification, record, `its config is ${image.imageId}`);
  if (await verifyLayers(verification, image)) await verifyAccountFiles(verification, image);
}

/** What the name stands for, and the manifest, which is the same unless that is an index. */
function documentsOf({ target, manifest }: ImageRecord): Descriptor[] {
  return target.digest === manifest ? [target] : [target, { mediaType: '', digest: manifest, size: 0 }];
}

/** Undefined, and reported, for documents that are what their digests say, but cannot be what the entry stands for. */
async function readOrReport<T>(
  verification: Verification,
  record: ImageRecord,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isUnusable(error)) throw error;
    reportName(verification, record, error.message);
    return undefined;
  }
}

function reportName({ report, mender }: Verification, { name }: ImageRecord, problem: string): void {
  report({ kind: 'name', name, problem }, mender && NAMES_STAY);
}

/** Nobody but the registry knows what a name stands for. */
export const NAMES_STAY: Repair = {
  isDone: false,
  reason: 'pull the image again, or remove the name with "mydocker rmi"',
};
