import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

import type { Descriptor } from '../../../src/oci/descriptor.ts';
import type { TestRegistry } from './start-registry.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface TestLayer {
  /** The blob as it is downloaded. */
  bytes: Uint8Array;
  /** Gzip when left out. */
  mediaType?: string;
  /** Digest of the uncompressed tar; worked out for gzip and plain tar when left out. */
  diffId?: string;
}

export interface TestImage {
  layers: TestLayer[];
  /** The `config` object of the image configuration: Env, Cmd, User, … */
  config?: Record<string, unknown>;
  os?: string;
  architecture?: string;
  variant?: string;
  created?: string;
  /** Laid over the finished manifest: what is wrong with it is up to the test. */
  manifest?: Record<string, unknown>;
}

export interface PutImage {
  manifest: Descriptor;
  config: Descriptor;
  layers: Descriptor[];
}

/** Puts an image with its config and layers under `tag`. */
export function putImage(registry: TestRegistry, repository: string, tag: string, image: TestImage): PutImage {
  const layers = image.layers.map((layer) =>
    registry.putBlob(repository, layer.bytes, { mediaType: layer.mediaType ?? OCI_LAYER }),
  );
  const configuration = {
    created: image.created ?? '2024-01-02T03:04:05Z',
    architecture: image.architecture ?? 'amd64',
    ...(image.variant === undefined ? {} : { variant: image.variant }),
    os: image.os ?? 'linux',
    config: image.config ?? {},
    rootfs: { type: 'layers', diff_ids: image.layers.map(diffIdOf) },
    history: image.layers.map(() => ({ created: '2024-01-02T03:04:05Z', created_by: 'test' })),
  };
  const config = registry.putBlob(repository, json(configuration), { mediaType: OCI_CONFIG });
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, ...image.manifest };
  return { manifest: registry.putManifest(repository, tag, json(document), OCI_MANIFEST), config, layers };
}

/** Puts an index of `manifests` (descriptors with `platform`) under `tag`. */
export function putIndex(
  registry: TestRegistry,
  repository: string,
  tag: string,
  manifests: Array<Descriptor & Record<string, unknown>>,
): Descriptor {
  const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
  return registry.putManifest(repository, tag, json(document), OCI_INDEX);
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function diffIdOf(layer: TestLayer): string {
  if (layer.diffId !== undefined) return layer.diffId;
  const isGzip = layer.bytes[0] === 0x1f && layer.bytes[1] === 0x8b;
  const tar = isGzip ? gunzipSync(layer.bytes) : layer.bytes;
  return `sha256:${createHash('sha256').update(tar).digest('hex')}`;
}
