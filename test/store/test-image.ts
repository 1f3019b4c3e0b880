import { randomBytes } from 'node:crypto';

import type { Descriptor } from '../../src/oci/descriptor.ts';
import { chainIds } from '../../src/oci/chain-id.ts';
import { digestOf, type Digest, type DigestAlgorithm } from '../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';
import type { ImageRecord } from '../../src/store/image-record.ts';

export interface TestBlob {
  descriptor: Descriptor;
  bytes: Buffer;
}

/** An image whose layers are no archives: enough for a store, which never looks into them. */
export interface TestImage {
  record: ImageRecord & { name: string };
  layers: TestBlob[];
  config: TestBlob;
  manifest: TestBlob;
  /** Manifest, config and layers. */
  blobs: TestBlob[];
  chain: Digest[];
}

export function testBlob(
  content: string | Buffer = randomBytes(2000),
  mediaType = 'application/octet-stream',
  algorithm: DigestAlgorithm = 'sha256',
): TestBlob {
  const bytes = Buffer.from(content);
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes, algorithm), size: bytes.length } };
}

export function testImage(
  name: string,
  layers: TestBlob[] = [testBlob(), testBlob()],
  algorithm: DigestAlgorithm = 'sha256',
): TestImage {
  const diffIds = layers.map(({ bytes }) => digestOf(Buffer.concat([bytes, Buffer.from('diff')]), algorithm));
  const config = jsonBlob(MEDIA_TYPES.ociConfig, {
    os: 'linux',
    architecture: 'amd64',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
  });
  const manifest = jsonBlob(MEDIA_TYPES.ociManifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  const record = {
    name: `docker.io/library/${name}`,
    target: manifest.descriptor,
    manifest: manifest.descriptor.digest,
    imageId: config.descriptor.digest,
    platform: { os: 'linux', architecture: 'amd64' },
    created: '2026-01-02T03:04:05Z',
    sizeBytes: 1234,
  };
  return { record, layers, config, manifest, blobs: [manifest, config, ...layers], chain: chainIds(diffIds) };
}

export function jsonBlob(mediaType: string, value: unknown): TestBlob {
  return testBlob(JSON.stringify(value), mediaType);
}

export function bytesOf(blobs: readonly TestBlob[]): number {
  return blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

export async function putAll(store: BlobStore, blobs: TestBlob[]): Promise<void> {
  for (const { descriptor, bytes } of blobs) await store.put(descriptor, bytes);
}

export function listBlobs(store: BlobStore): Digest[] {
  return store.list().sort();
}
