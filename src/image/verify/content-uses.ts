import type { Digest } from '../../oci/digest.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import type { Store } from '../../store/open-store.ts';
import { readIntactImage, readLocalManifest, unlessUnusable } from '../local-image.ts';
import type { BlobRole } from './finding.ts';

export interface BlobUse {
  role: BlobRole;
  images: readonly string[];
}

/** Which images need a blob or a layer: for messages, and to know where a blob can be had. */
export interface ContentUses {
  ofBlob(digest: Digest): BlobUse;
  ofLayer(chainId: Digest): readonly string[];
  /** To be called again for an image whose documents have been repaired. */
  add(record: ImageRecord): Promise<void>;
}

/** Reads manifests and configs of all images, as far as they are intact. */
export async function readUses(store: Store, records: readonly ImageRecord[]): Promise<ContentUses> {
  const uses = createUses(store);
  for (const record of records) await uses.add(record);
  return uses;
}

/** What messages call an image. */
export function imageLabel({ name, imageId }: ImageRecord): string {
  return name ?? imageId;
}

function createUses(store: Store): ContentUses {
  const roles = new Map<Digest, BlobRole>();
  const images = new Map<Digest, Set<string>>();
  const use = (digest: Digest, label: string): void => {
    const labels = images.get(digest) ?? new Set();
    images.set(digest, labels.add(label));
  };
  const namesOf = (digest: Digest): string[] => [...(images.get(digest) ?? [])];
  return {
    ofBlob: (digest) => ({ role: roles.get(digest) ?? 'other', images: namesOf(digest) }),
    ofLayer: namesOf,
    async add(record) {
      const label = imageLabel(record);
      for (const [digest, role] of await blobsOf(store, record)) {
        roles.set(digest, role);
        use(digest, label);
      }
      for (const chainId of (await readIntactImage(store, record.manifest))?.chain ?? []) use(chainId, label);
    },
  };
}

async function blobsOf(store: Store, { target, manifest, imageId }: ImageRecord): Promise<Map<Digest, BlobRole>> {
  const document = await unlessUnusable(async () => readLocalManifest(store, manifest));
  return new Map<Digest, BlobRole>([
    [target.digest, 'index'],
    [manifest, 'manifest'],
    [document?.config.digest ?? imageId, 'config'],
    ...(document?.layers ?? []).map(({ digest }): [Digest, BlobRole] => [digest, 'layer']),
  ]);
}
