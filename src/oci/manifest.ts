import { ToolError } from '../errors.ts';
import type { Descriptor } from './descriptor.ts';
import { parseDescriptor } from './descriptor.ts';
import type { JsonObject } from './fields.ts';
import { arrayField, asObject, field, showValue, stringMapField, textField } from './fields.ts';
import { malformed, parseJson } from './json.ts';
import { foldKey } from './json-structure.ts';
import {
  isImageConfigMediaType,
  isIndexMediaType,
  isManifestMediaType,
  isSchema1MediaType,
  layerKind,
  MEDIA_TYPES,
} from './media-types.ts';

/** One image for one platform; layers bottom first. */
export interface ImageManifest {
  mediaType: string;
  config: Descriptor;
  layers: Descriptor[];
  annotations: Record<string, string>;
}

/** The manifests of an image for several platforms. */
export interface ImageIndex {
  mediaType: string;
  manifests: Descriptor[];
  annotations: Record<string, string>;
}

export type ManifestDocument = { kind: 'manifest'; manifest: ImageManifest } | { kind: 'index'; index: ImageIndex };

const MAX_LAYERS = 127; // Docker's limit, from overlayfs
const MAX_INDEX_ENTRIES = 2000;

/**
 * Reads a manifest or an index, of OCI's or Docker's type. `bytes` must have been verified against a digest, or be hashed
 * as they are; `contentType` is the registry's header, a hint.
 *
 * Throws ERR_MANIFEST for what is malformed or contradicts itself, ERR_UNSUPPORTED for what is no container image or
 * cannot be unpacked (schema 1, artifacts, foreign and encrypted layers), ERR_LIMIT for too many layers or entries.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ManifestDocument {
  const announced = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  const subject = announced === undefined || announced === '' ? 'manifest' : `manifest (${announced})`;
  const document = asObject(parseJson(bytes, subject), subject);
  refuseSchema1(document, announced);
  const mediaType = documentMediaType(document, announced);
  const version = field(document, 'schemaVersion');
  if (version !== 2) throw malformed('manifest', `schemaVersion is ${showValue(version)}, 2 was wanted`);
  if (isIndexMediaType(mediaType)) return { kind: 'index', index: parseIndex(document, mediaType) };
  return { kind: 'manifest', manifest: parseImageManifest(document, mediaType) };
}

function refuseSchema1(document: JsonObject, announced: string | undefined): void {
  const mediaType = textField(document, 'mediaType', 'manifest') ?? announced ?? '';
  if (field(document, 'schemaVersion') !== 1 && !isSchema1MediaType(mediaType)) return;
  const hint = 'Pull and push the image with a current tool: that converts it.';
  throw unsupported('schema 1 is not supported, schema 2 was wanted', hint);
}

/** The document's own word; else the header's, else what it looks like. They must not contradict each other (CVE-2021-41190). */
function documentMediaType(document: JsonObject, announced: string | undefined): string {
  const known = announced !== undefined && isKnownType(announced) ? announced : undefined;
  const own = textField(document, 'mediaType', 'manifest');
  if (own !== undefined && !isKnownType(own))
    throw unsupported(`it is of type ${showValue(own)}, not a container image`);
  if (own !== undefined && known !== undefined && own !== known) {
    throw malformed('manifest', `mediaType is ${showValue(own)}, but the registry announced "${known}"`);
  }
  const shape = documentShape(document);
  const mediaType = own ?? known ?? (shape === 'index' ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest);
  if (isIndexMediaType(mediaType) === (shape === 'index')) return mediaType;
  throw malformed('manifest', `its type is "${mediaType}", but its fields are those of an image ${shape}`);
}

/** Letter case is ignored, because a reader in Go would find `Manifests` too. */
function documentShape(document: JsonObject): 'index' | 'manifest' {
  const present = Object.entries(document).filter(([, value]) => value !== null);
  const names = new Set(present.map(([name]) => foldKey(name)));
  if (names.has('fslayers')) throw malformed('manifest', 'it holds "fsLayers", which schema 2 does not have');
  if (!names.has('manifests')) return 'manifest';
  if (!names.has('config') && !names.has('layers')) return 'index';
  throw malformed('manifest', 'it holds both "manifests" and "config" or "layers"');
}

function isKnownType(mediaType: string): boolean {
  return isIndexMediaType(mediaType) || isManifestMediaType(mediaType);
}

function parseIndex(document: JsonObject, mediaType: string): ImageIndex {
  const entries = arrayField(document, 'manifests', 'index');
  if (entries === undefined) throw malformed('index', 'manifests is missing');
  checkCount('index', entries.length, MAX_INDEX_ENTRIES);
  return {
    mediaType,
    manifests: entries.map((entry, position) => parseDescriptor(entry, `index manifests[${position}]`)),
    annotations: stringMapField(document, 'annotations', 'index'),
  };
}

function parseImageManifest(document: JsonObject, mediaType: string): ImageManifest {
  const config = parseDescriptor(field(document, 'config'), 'manifest config');
  refuseArtifact(document, config, mediaType);
  const entries = arrayField(document, 'layers', 'manifest');
  if (entries === undefined) throw malformed('manifest', 'layers is missing');
  checkCount('manifest', entries.length, MAX_LAYERS);
  const layers = entries.map((entry, position) => parseDescriptor(entry, `manifest layers[${position}]`));
  for (const layer of layers) refuseOtherLayer(layer);
  return { mediaType, config, layers, annotations: stringMapField(document, 'annotations', 'manifest') };
}

function refuseArtifact(document: JsonObject, config: Descriptor, mediaType: string): void {
  const artifactType = textField(document, 'artifactType', 'manifest');
  const other = [artifactType ?? config.mediaType, config.mediaType].find(
    (type) => !isImageConfigMediaType(type, mediaType),
  );
  if (other !== undefined) throw unsupported(`it is an artifact of type ${showValue(other)}, not a container image`);
}

function refuseOtherLayer({ mediaType, digest }: Descriptor): void {
  const kind = layerKind(mediaType);
  if (kind === 'layer') return;
  const what =
    kind === undefined ? `layer ${digest} has the unknown type` : `${kind} layer not supported: ${digest} has the type`;
  throw unsupported(`${what} ${showValue(mediaType)}`);
}

function checkCount(what: 'index' | 'manifest', count: number, limit: number): void {
  if (count <= limit) return;
  const things = what === 'index' ? 'manifests' : 'layers';
  throw new ToolError('ERR_LIMIT', `Cannot use "${what}": it has ${count} ${things}, ${limit} are allowed`);
}

function unsupported(problem: string, hint?: string): ToolError {
  return new ToolError('ERR_UNSUPPORTED', `Cannot use "manifest": ${problem}`, hint === undefined ? {} : { hint });
}
