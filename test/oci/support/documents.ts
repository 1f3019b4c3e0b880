import type { Digest } from '../../../src/oci/digest.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../../src/oci/media-types.ts';

export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** JSON text stays as it is, so that a test can write what no encoder would. */
export function encode(document: unknown): Uint8Array {
  return new TextEncoder().encode(typeof document === 'string' ? document : JSON.stringify(document));
}

export function digestOfText(text: string): Digest {
  return digestOf(encode(text));
}

/** A descriptor in JSON form; the content is `content`, never fetched. */
export function descriptorJson(mediaType: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { mediaType, digest: digestOfText(mediaType), size: 7, ...more };
}

export function manifestJson(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: descriptorJson(MEDIA_TYPES.ociConfig),
    layers: [descriptorJson(OCI_LAYER)],
    ...more,
  };
}

export function indexJson(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [descriptorJson(MEDIA_TYPES.ociManifest, { platform: { os: 'linux', architecture: 'amd64' } })],
    ...more,
  };
}

export function imageConfigJson(
  config: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    os: 'linux',
    architecture: 'amd64',
    config,
    rootfs: { type: 'layers', diff_ids: [digestOfText('layer')] },
    ...more,
  };
}
