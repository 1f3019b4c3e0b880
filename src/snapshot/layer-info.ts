import { digestOf, isDigest } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';

/** What `done` says of an unpacked layer. */
export interface LayerInfo {
  diffId: Digest;
  /** Of the uncompressed archive, in bytes. */
  size: number;
  entries: number;
  /** The tree manifest beside it, `size` in bytes; unknown for layers of the first version. */
  manifest?: { digest: Digest; size: number } | undefined;
}

/** The text of `done`: one line of JSON, which ends with a digest of the rest, so that no flipped bit goes unnoticed. */
export function encodeLayerInfo(info: LayerInfo): string {
  const { diffId, size, entries, manifest } = info;
  if (manifest === undefined) return `${JSON.stringify({ diffId, size, entries })}\n`;
  const fields = { diffId, size, entries, manifest: { digest: manifest.digest, size: manifest.size } };
  return `${JSON.stringify({ ...fields, check: digestOf(Buffer.from(JSON.stringify(fields))) })}\n`;
}

/** Undefined for anything but what `encodeLayerInfo` writes, to the byte. */
export function parseLayerInfo(text: string): LayerInfo | undefined {
  const info = readFields(text);
  return info !== undefined && encodeLayerInfo(info) === text ? info : undefined;
}

function readFields(text: string): LayerInfo | undefined {
  let value;
  try {
    value = JSON.parse(text) as Partial<Record<keyof LayerInfo, unknown>> | null;
  } catch {
    return undefined;
  }
  const { diffId, size, entries, manifest } = value ?? {};
  if (!isDigestText(diffId) || typeof size !== 'number' || typeof entries !== 'number') return undefined;
  if (manifest === undefined) return { diffId, size, entries };
  const { digest, size: manifestSize } = (manifest ?? {}) as Record<string, unknown>;
  if (!isDigestText(digest) || typeof manifestSize !== 'number') return undefined;
  return { diffId, size, entries, manifest: { digest, size: manifestSize } };
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === 'string' && isDigest(value);
}
