import type { Digest } from '../../oci/digest.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import type { Store } from '../../store/open-store.ts';
import type { Names } from '../../store/read-names.ts';
import { readIntactImage, readLocalManifest, unlessUnusable } from '../local-image.ts';
import type { BlobRole } from './finding.ts';

export interface BlobUse {
  role: BlobRole;
  images: readonly string[];
}

/** Which images need a blob or a layer: for messages, and to know where a blob can be had. */
export interface ContentUses {
  ofBlob(digest: Digest): BlobUse;
  /** Canonical names of images whose registries should have the blob. */
  sourcesOf(digest: Digest): readonly string[];
  ofLayer(chainId: Digest): readonly string[];
  /** To be called again for an image whose documents have been repaired. */
  add(record: ImageRecord): Promise<void>;
}

/** Reads manifests and configs of all images, as far as they are intact. */
export async function readUses(store: Store, { records, problems }: Names): Promise<ContentUses> {
  // A name that is not what was given may lead to anybody's registry.
  const uses = createUses(store, new Set(problems.map(({ name }) => name)));
  for (const record of records) await uses.add(record);
  return uses;
}

function createUses(store: Store, distrusted: ReadonlySet<string | undefined>): ContentUses {
  const roles = new Map<Digest, BlobRole>();
  const images = new Map<Digest, Set<string>>();
  const sources = new Map<Digest, Set<string>>();
  const namesOf = (digest: Digest): string[] => [...(images.get(digest) ?? [])];
  return {
    ofBlob: (digest) => ({ role: roles.get(digest) ?? 'other', images: namesOf(digest) }),
    sourcesOf: (digest) => [...(sources.get(digest) ?? [])],
    ofLayer: namesOf,
    async add(record) {
      const { name, imageId } = record;
      for (const [digest, role] of await blobsOf(store, record)) {
        roles.set(digest, role);
        addTo(images, digest, name ?? imageId);
        if (name !== undefined && !distrusted.has(name)) addTo(sources, digest, name);
      }
      for (const chainId of (await readIntactImage(store, record.manifest))?.chain ?? [])
        addTo(images, chainId, name ?? imageId);
    },
  };
}

function addTo(map: Map<Digest, Set<string>>, digest: Digest, text: string): void {
  map.set(digest, (map.get(digest) ?? new Set()).add(text));
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
