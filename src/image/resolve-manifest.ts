import { ToolError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { ImageIndex, ImageManifest } from '../oci/manifest.ts';
import { choosePlatform, formatPlatform } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import type { FetchedManifest, RemoteRepository } from '../registry/repository.ts';

/** How deep an index may point to indexes: image, or index of an index of images. */
const MAX_INDEX_DEPTH = 2;

/** A tag followed down to the manifest of one platform. */
export interface ResolvedManifest {
  /** What the tag names. */
  target: Descriptor;
  manifest: ImageManifest;
  /** The manifest's own descriptor. */
  descriptor: Descriptor;
  /** What the index says the manifest is for; undefined without an index. */
  platform: Platform | undefined;
  /** Every document on the way, top first: they are stored as they came. */
  documents: FetchedManifest[];
}

export interface ResolveOptions {
  repository: RemoteRepository;
  reference: Reference;
  platform: Platform;
  signal?: AbortSignal | undefined;
}

/**
 * Follows `first` (what the tag or digest gave) through indexes to the manifest for `platform`, each step by digest.
 * @throws {ToolError} ERR_PLATFORM if the index has nothing for it; the message lists what it has
 */
export async function resolveManifest(first: FetchedManifest, options: ResolveOptions): Promise<ResolvedManifest> {
  const documents = [first];
  let platform: Platform | undefined;
  for (let current = first; ;) {
    const document = parseManifest(current.bytes, current.contentType);
    if (document.kind === 'manifest') {
      return {
        target: first.descriptor,
        manifest: document.manifest,
        descriptor: current.descriptor,
        platform,
        documents,
      };
    }
    if (documents.length > MAX_INDEX_DEPTH) {
      throw new ToolError(
        'ERR_MANIFEST',
        `Cannot pull "${familiarReference(options.reference)}": its indexes are nested deeper than ${MAX_INDEX_DEPTH}`,
      );
    }
    const chosen = chooseManifest(document.index, options);
    platform = chosen.platform ?? platform;
    const { repository, signal } = options;
    current = await repository.getManifest(chosen.digest, { signal });
    if (current.descriptor.size !== chosen.size) {
      throw new ToolError(
        'ERR_MANIFEST',
        `Cannot pull "${familiarReference(options.reference)}": manifest ${chosen.digest} has ${current.descriptor.size} bytes, and the index says ${chosen.size}`,
      );
    }
    documents.push(current);
  }
}

function chooseManifest(index: ImageIndex, { reference, platform }: ResolveOptions): Descriptor {
  const chosen = choosePlatform(index.manifests, platform);
  if (chosen !== undefined) return chosen;
  const available = [...new Set(index.manifests.flatMap(platformName))];
  const has = available.length === 0 ? 'it has none that can run' : `it has ${available.slice(0, 20).join(', ')}`;
  throw new ToolError(
    'ERR_PLATFORM',
    `Cannot pull "${familiarReference(reference)}": no matching manifest for ${formatPlatform(platform)} in the manifest list entries: ${has}`,
    { hint: 'Choose one of them with --platform.' },
  );
}

function platformName(descriptor: Descriptor): string[] {
  if (descriptor.platform === undefined || descriptor.platform.os === 'unknown') return [];
  return [formatPlatform(descriptor.platform)];
}
